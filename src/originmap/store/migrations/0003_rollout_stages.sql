-- The member `waves` of a rollout is called `stages`. In a JSON string the quotes are escaped, so
-- that only the member itself is replaced.
UPDATE record SET body = CAST(replace(CAST(body AS TEXT), '"waves":', '"stages":') AS BLOB)
WHERE kind = 'rollout';
UPDATE record_change SET
    before = CAST(replace(CAST(before AS TEXT), '"waves":', '"stages":') AS BLOB),
    after = CAST(replace(CAST(after AS TEXT), '"waves":', '"stages":') AS BLOB)
WHERE kind = 'rollout';
