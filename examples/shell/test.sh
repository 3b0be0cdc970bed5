#!/bin/sh
# Tests map-origin.sh; exit status 0 means that all tests pass.
set -eu
cd "$(dirname "$0")"

# A state folder of its own: another server in the background is left alone.
XDG_STATE_HOME=$(mktemp -d)
export XDG_STATE_HOME
trap 'originmap stop; rm -rf "$XDG_STATE_HOME"' EXIT
originmap dev --detach --port 0 --db :memory:
originmap wait --timeout 10s
eval "$(originmap env)"

# control METHOD PATH [BODY]: print the answer of a control route.
control() {
  curl -sS --fail-with-body -X "$1" "$ORIGINMAP_SERVER/originmap/dev/v1$2" \
    -H "Authorization: Bearer $ORIGINMAP_TOKEN" ${3:+-d "$3"}
}

# begin NAME: begin a test with an empty server.
begin() {
  echo "$1"
  control POST /reset > /dev/null
}

# expect TEXT WHAT: fail unless TEXT is in WHAT.
expect() {
  case $2 in *"$1"*) ;; *)
    echo "expected $1 in: $2" >&2
    exit 1 ;;
  esac
}

begin "an origin is mapped"
expect '"success":true' "$(./map-origin.sh 192.0.2.1 aws us-east-1)"
expect '"192.0.2.1":["aws","us-east-1"]' "$(control GET /mappings)"

begin "a request is repeated if the API is unavailable"
control POST /faults '{"operation": "put_mapping", "kind": "fail", "status": 503}' > /dev/null
expect '"success":true' "$(./map-origin.sh 192.0.2.1 aws us-east-1)"
statuses=$(control GET /requests | grep -o '"status":[0-9]*' | tr '\n' ' ')
expect '"status":503 "status":200' "$statuses"

begin "the error of a full zone is shown"
control POST /faults '{"operation": "put_mapping", "kind": "fail", "code": 1164}' > /dev/null
answer=$(./map-origin.sh 192.0.2.1 aws us-east-1) && expect "a failure" "$answer"
expect '"code":1164' "$answer"

echo "all passed"
