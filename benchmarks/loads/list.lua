-- One request after the other, from the first line to the last and then from the first again. A line is what stands
-- after "Basic" in the header, a tab, and the body.
local requests, last = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local basic, body = line:match("^([^\t]*)\t(.*)$")
    requests[#requests + 1] = wrk.format("POST", nil, {
      ["Host"] = wrk.headers["Host"],
      ["Authorization"] = "Basic " .. basic,
      ["Content-Type"] = "application/x-www-form-urlencoded",
    }, body)
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end
