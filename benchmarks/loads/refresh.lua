-- Refresh tokens, each exchanged for the next one. A line is what stands after "Basic" in the header, a tab, and a token.
local headers, waiting, first, last = {}, {}, 1, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local basic, token = line:match("^([^\t]*)\t(.*)$")
    headers = {
      ["Host"] = wrk.headers["Host"],
      ["Authorization"] = "Basic " .. basic,
      ["Content-Type"] = "application/x-www-form-urlencoded",
    }
    last = last + 1
    waiting[last] = token
  end
end

function request()
  local token = waiting[first]
  waiting[first] = nil
  first = first + 1
  return wrk.format("POST", nil, headers, "grant_type=refresh_token&refresh_token=" .. token)
end

function response(status, _, body)
  if status == 200 then
    last = last + 1
    waiting[last] = body:match('"refresh_token": ?"([^"]+)"')
  end
end
