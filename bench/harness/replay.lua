-- Replays the requests of a file in order, again and again: `wrk -s replay.lua URL -- FILE TOKEN`.
-- A line is: method, tab, path, tab, body (empty for none).

local requests = {}
local position = 0

function init(args)
   wrk.headers["Authorization"] = "Bearer " .. args[2]
   for line in io.lines(args[1]) do
      local method, path, body = line:match("^(%u+)\t(%S+)\t(.*)$")
      if body == "" then
         body = nil
         wrk.headers["Content-Type"] = nil
      else
         wrk.headers["Content-Type"] = "application/json"
      end
      requests[#requests + 1] = wrk.format(method, path, nil, body)
   end
end

function request()
   position = position % #requests + 1
   return requests[position]
end

function done(summary, latency)
   local e = summary.errors
   io.write(string.format(
      '\nRESULT {"requests":%d,"microseconds":%d,"p99_microseconds":%d,"non_2xx":%d,"broken":%d}\n',
      summary.requests, summary.duration, latency:percentile(99), e.status,
      e.connect + e.read + e.write + e.timeout))
end
