-- How Argo CD reads an object of Coxswain. All kinds speak by the same three conditions.
local status = obj.status
if status == nil or status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "the operator has not looked at it yet"}
end

local said = {}
for _, condition in ipairs(status.conditions or {}) do
  said[condition.type] = condition
end

local function is_true(name)
  return said[name] ~= nil and said[name].status == "True"
end

local message = ""
if said.Ready ~= nil then
  message = said.Ready.message or said.Ready.reason
end

if is_true("Stalled") then
  return {status = "Degraded", message = message}
end
-- Somebody's wish, or a question to somebody: no time mends it.
if status.phase == "Suspended" or status.phase == "Review" or is_true("Suspended") then
  return {status = "Suspended", message = message}
end
if is_true("Ready") then
  return {status = "Healthy", message = message}
end
return {status = "Progressing", message = message}
