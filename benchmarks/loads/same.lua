-- One request, again and again. Its line is what stands after "Basic" in the header, a tab, and the body; without a body
-- it is GET.
function init(arguments)
  local basic, body = io.open(arguments[1]):read("*l"):match("^([^\t]*)\t(.*)$")
  wrk.headers["Authorization"] = "Basic " .. basic
  if body ~= "" then
    wrk.method, wrk.body = "POST", body
    wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  end
end
