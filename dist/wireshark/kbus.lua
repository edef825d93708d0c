-- Recordings of KBUS in Wireshark and tshark: packets of the link type USER0, in the form that docs/recordings.md tells.
--
-- A packet may have been cut, by who recorded it or by a tool. So each field is first looked for in what was captured, and what
-- should be there and is not is said once.
--
-- Requests and their Replies know each other by frame numbers. In one pass only the Reply knows its Request: the Request comes
-- first. Wireshark, and tshark -2, make two.

local kbus = Proto("kbus", "KBUS")

local FORM = 1 -- of packets
local LOST, SENT, STATUS, TAKEN = 0, 1, 2, 3
local kinds = { [0] = "Lost", "Sent", "Status", "Taken", "Opened", "Closed", "Bound", "Unbound" }
local PENDING = 1
local conditions = {
	[0] = "OK", "ErrPending", "ErrReplierFull", "ErrListenerFull", "ErrNoReplier", "ErrAddresseeGone", "ErrNotExpected",
	"ErrNotYoursToReply", "ErrOtherReplier", "ErrNoRoomForReply", "ErrNothingToSend", "ErrIncomplete", "ErrStillSending",
	"ErrMalformed", "ErrWaitAndFail", "ErrBadName", "ErrNameTooLong", "ErrMessageTooLong", "ErrAfterEnd", "ErrReplierBound",
	"ErrNotBound", "ErrEventUndelivered", "ErrReportFull", "ErrBadSwitch", "ErrBadSize", "ErrTooManyBuses", "ErrNoSuchBus",
	"ErrWrongMode", "ErrUnknownOperation", "ErrBadAddress", "ErrNoMemory", "ErrInterrupted", "ErrUserConnections",
	"ErrBusConnections", "ErrUserBindings", "ErrBusBindings", "ErrUserQueueBytes", "ErrBusQueueBytes", "ErrStopping",
	"ErrBusGone", "ErrClosed", "ErrCanceled", "ErrNotPermitted", "ErrUndecided", "ErrNoFederation", "ErrHeard", "ErrStale",
	"ErrOtherNetwork", "ErrNotAdministrator", "ErrUserWildcards", "ErrSameBinding", "ErrUserBuses", "ErrUnknownKsock", "ErrDenied",
}
local flagWords = { want_a_reply = 0x1, want_you_to_reply = 0x2, synthetic = 0x4, urgent = 0x8, all_or_wait = 0x100, all_or_fail = 0x200 }
local WANT_A_REPLY = flagWords.want_a_reply

local f = {
	version = ProtoField.uint16("kbus.version", "Form of the packet"),
	condition = ProtoField.uint16("kbus.condition", "Condition", base.DEC, conditions),
	kind = ProtoField.uint32("kbus.kind", "Kind of event", base.DEC, kinds),
	serial = ProtoField.uint64("kbus.serial", "Serial in the recording"),
	bus = ProtoField.uint32("kbus.bus", "Bus"),
	missed = ProtoField.uint64("kbus.missed", "Events lost before this one"),
	boot = ProtoField.uint64("kbus.boot", "Nanoseconds since the machine was started"),
	wall = ProtoField.uint64("kbus.wall", "Nanoseconds since 1970"),
	ksock = ProtoField.uint32("kbus.ksock", "Ksock whose doing it is"),
	uid = ProtoField.uint32("kbus.uid", "User"),
	gid = ProtoField.uint32("kbus.gid", "Group"),
	pid = ProtoField.uint32("kbus.pid", "Process"),
	reached = ProtoField.uint32("kbus.reached", "Copies queued"),
	skipped = ProtoField.uint32("kbus.skipped", "Listeners whose queue was full"),
	set_aside = ProtoField.uint32("kbus.set_aside", "Listeners for whom a bind event was set aside"),
	data_bytes = ProtoField.uint32("kbus.data_bytes", "Length of the data when it was sent"),
	as_replier = ProtoField.bool("kbus.as_replier", "Binding as Replier", 32, nil, 1),
	replier = ProtoField.uint32("kbus.replier", "Replier that a Request went to"),
	program = ProtoField.string("kbus.program", "Program", base.UNICODE),
	message = ProtoField.string("kbus.message", "Message"),
	id = ProtoField.string("kbus.id", "Id"),
	in_reply_to = ProtoField.string("kbus.in_reply_to", "In reply to"),
	to = ProtoField.uint32("kbus.to", "To Ksock"),
	from = ProtoField.uint32("kbus.from", "From Ksock"),
	orig_from = ProtoField.string("kbus.orig_from", "Original sender"),
	final_to = ProtoField.string("kbus.final_to", "Final destination"),
	extra = ProtoField.uint32("kbus.extra", "Extra", base.HEX),
	flags = ProtoField.uint32("kbus.flags", "Flags", base.HEX),
	name_bytes = ProtoField.uint32("kbus.name_bytes", "Length of the name"),
	shown_bytes = ProtoField.uint32("kbus.shown_bytes", "Length of the data here"),
	name = ProtoField.string("kbus.name", "Name", base.UNICODE),
	data = ProtoField.bytes("kbus.data", "Data"),
	text = ProtoField.string("kbus.text", "Data as text", base.UNICODE),
	request_in = ProtoField.framenum("kbus.request_in", "Request in", base.NONE, frametype.REQUEST),
	taken_in = ProtoField.framenum("kbus.taken_in", "Taken in", base.NONE, frametype.NONE),
	reply_in = ProtoField.framenum("kbus.reply_in", "Reply in", base.NONE, frametype.RESPONSE),
	reply_time = ProtoField.relative_time("kbus.reply_time", "Time since the Request"),
	-- for filters, at every Reply and every Request
	request = ProtoField.bool("kbus.request", "Request"),
	reply = ProtoField.bool("kbus.reply", "Reply"),
}
local flag = {}
for word, bit in pairs(flagWords) do
	flag[word] = ProtoField.bool("kbus.flags." .. word, word:upper(), 32, nil, bit)
end
local all = {}
for _, t in ipairs({ f, flag }) do
	for _, field in pairs(t) do all[#all + 1] = field end
end
kbus.fields = all

local G, S = expert.group, expert.severity
local e = {
	refused = ProtoExpert.new("kbus.is_refused", "Refused", G.RESPONSE_CODE, S.WARN),
	pending = ProtoExpert.new("kbus.is_pending", "The message waits for room", G.RESPONSE_CODE, S.NOTE),
	status = ProtoExpert.new("kbus.is_status", "The bus answered in the Replier's stead", G.RESPONSE_CODE, S.WARN),
	lost = ProtoExpert.new("kbus.is_lost", "Events were lost before this one", G.SEQUENCE, S.WARN),
	skipped = ProtoExpert.new("kbus.is_skipped", "Listeners missed this message: their queue was full", G.SEQUENCE, S.WARN),
	cut = ProtoExpert.new("kbus.is_cut", "The rest was not recorded", G.UNDECODED, S.NOTE),
	malformed = ProtoExpert.new("kbus.is_malformed", "The packet is shorter than it says", G.MALFORMED, S.ERROR),
	form = ProtoExpert.new("kbus.is_unknown", "A form of packets that is not known here", G.UNDECODED, S.WARN),
}
kbus.experts = { e.refused, e.pending, e.status, e.lost, e.skipped, e.cut, e.malformed, e.form }

-- What the first pass finds: the last Request of an id, the program behind each Ksock, and then, by frames, frames and whom a message
-- is for.
local requests, programs, requestIn, replyIn, takenIn, addressee

function kbus.init() requests, programs, requestIn, replyIn, takenIn, addressee = {}, {}, {}, {}, {}, {} end

-- Walk goes through a packet, field by field, as far as it was captured.
local Walk = {}
Walk.__index = Walk

-- peek gives the next n bytes; nil if they are not there, now or before.
function Walk:peek(n)
	if self.stopped then return nil end
	if self.at + n > self.tvb:captured_len() then
		self.stopped = true
		local reported = self.at + n <= self.tvb:reported_len()
		self.tree:add_proto_expert_info(reported and e.cut or e.malformed)
		return nil
	end
	return self.tvb:range(self.at, n)
end

-- number adds a number of n bytes and gives it; UInt64 for 8.
function Walk:number(field, n)
	local range = self:peek(n)
	if not range then return nil end
	self.at = self.at + n
	local item = self.tree:add_le(field, range)
	return n == 8 and range:le_uint64() or range:le_uint(), item
end

-- pair adds two numbers as "1:2", if they are not both 0, and gives that.
function Walk:pair(field)
	local range = self:peek(8)
	if not range then return nil end
	self.at = self.at + 8
	local a, b = range:range(0, 4):le_uint(), range:range(4, 4):le_uint()
	if a == 0 and b == 0 then return nil end
	local text = string.format("%d:%d", a, b)
	self.tree:add(field, range, text)
	return text
end

-- bytes adds as many of n bytes as there are, and gives them.
function Walk:bytes(field, n)
	if n == 0 or self.stopped then return nil end
	local there = math.min(n, self.tvb:captured_len() - self.at)
	if there < n then self:peek(n) end
	if there == 0 then return nil end
	local range = self.tvb:range(self.at, there)
	self.at = self.at + there
	self.tree:add_packet_field(field, range, ENC_UTF_8)
	return range
end

-- messageKind is what a message is by its content.
local function messageKind(m)
	if m.inReplyTo then return m.name:sub(1, 7) == "$.KBUS." and "Status" or "Reply" end
	return m.flags and bit.band(m.flags, WANT_A_REPLY) ~= 0 and "Request" or "Announcement"
end

-- event goes through what Tapped tells before the message.
local function event(w, m)
	local item
	m.missed, item = w:number(f.missed, 8)
	if m.missed and m.missed > UInt64(0) then item:add_proto_expert_info(e.lost) end
	m.boot = w:number(f.boot, 8)
	w:number(f.wall, 8)
	m.ksock = w:number(f.ksock, 4)
	for _, field in ipairs({ f.uid, f.gid, f.pid }) do w:number(field, 4) end
	m.reached = w:number(f.reached, 4)
	m.skipped, item = w:number(f.skipped, 4)
	if m.skipped and m.skipped > 0 then item:add_proto_expert_info(e.skipped) end
	w:number(f.set_aside, 4)
	m.dataBytes = w:number(f.data_bytes, 4)
	local flags = w:number(f.as_replier, 4)
	m.asReplier = flags and bit.band(flags, 1) ~= 0
	m.replier = w:number(f.replier, 4)
	local range = w:peek(4)
	if not range then return end
	w.at = w.at + 4
	range = w:bytes(f.program, range:le_uint())
	m.program = range and range:string(ENC_UTF_8) or ""
end

-- message goes through the message.
local function message(w, m)
	m.id = w:pair(f.id)
	m.inReplyTo = w:pair(f.in_reply_to)
	m.to = w:number(f.to, 4)
	m.from = w:number(f.from, 4)
	w:pair(f.orig_from)
	w:pair(f.final_to)
	w:number(f.extra, 4)
	local item
	local range = w:peek(4)
	m.flags, item = w:number(f.flags, 4)
	if range then
		for _, field in pairs(flag) do item:add_le(field, range) end
	end
	local nameBytes, dataBytes = w:number(f.name_bytes, 4), w:number(f.shown_bytes, 4)
	if not dataBytes then return end
	range = w:bytes(f.name, nameBytes)
	m.name = range and range:string(ENC_UTF_8) or ""
	local at = w.at
	range = w:bytes(f.data, dataBytes)
	if range and not range:raw():find("[%z\1-\8\11\12\14-\31\127]") then
		w.tree:add_packet_field(f.text, range, ENC_UTF_8):set_generated()
		m.text = range:raw()
	end
	if m.dataBytes > dataBytes and not w.stopped then w.tree:add_proto_expert_info(e.cut) end
end

-- link finds what belongs together. Ids begin again with a bus, so the last Request of an id is meant.
local function link(m, frame)
	local function key(id) return m.bus .. "/" .. id end
	local passed = m.condition == 0 or m.condition == PENDING
	if m.kind == SENT and m.id and passed and bit.band(m.flags or 0, WANT_A_REPLY) ~= 0 then
		requests[key(m.id)] = { frame = frame, boot = m.boot }
	end
	local request
	if (m.kind == SENT or m.kind == STATUS) and m.inReplyTo then
		request = requests[key(m.inReplyTo)]
		if request and passed then replyIn[request.frame] = frame end
	elseif m.kind == TAKEN and m.id then
		request = requests[key(m.id)]
		if request then takenIn[request.frame] = frame end
	end
	if request and request.frame ~= frame then requestIn[frame] = request end
end

-- plain is a text without what a terminal obeys: Wireshark looks for that in fields, and not in columns and expert infos.
local function plain(text) return (text:gsub("[%z\1-\31\127]", "?"):gsub("\194[\128-\159]", "?")) end

-- party is a Ksock with its program, as far as that is known.
local function party(program, ksock) return program .. (program == "" and "" or " ") .. "(" .. ksock .. ")" end

-- meet takes note of who a Ksock is, and of the Ksock that a message is for: that which it names, or the Replier.
local function meet(m, frame)
	local function key(ksock) return m.bus .. "/" .. ksock end
	if m.program and m.program ~= "" then programs[key(m.ksock)] = plain(m.program) end
	local to = m.to
	if m.kind == SENT and to == 0 then to = m.replier end
	if m.kind ~= TAKEN and to and to ~= 0 then addressee[frame] = party(programs[key(to)] or "", to) end
end

local function showLinks(tree, m, frame)
	local function show(field, value)
		if value then tree:add(field, value):set_generated() end
	end
	show(f.taken_in, takenIn[frame])
	show(f.reply_in, replyIn[frame])
	local request = requestIn[frame]
	if not request then return end
	show(f.request_in, request.frame)
	if m.boot >= request.boot then
		local took = m.boot - request.boot
		local second = UInt64(1000000000)
		show(f.reply_time, NSTime((took / second):tonumber(), (took % second):tonumber()))
	end
end

-- judge adds what came of it, and what kind of message it was.
local function judge(tree, item, m)
	if m.condition == PENDING then
		item:add_proto_expert_info(e.pending)
	elseif m.condition ~= 0 then
		item:add_proto_expert_info(e.refused, "Refused: " .. (conditions[m.condition] or m.condition))
	end
	if m.kind < SENT or m.kind > TAKEN or not m.name then return end
	m.what = messageKind(m)
	tree:add(f.message, m.what):set_generated()
	if m.kind == TAKEN then return end
	if m.what == "Request" then tree:add(f.request, true):set_generated() end
	if m.what == "Reply" or m.what == "Status" then tree:add(f.reply, true):set_generated() end
	if m.what == "Status" then tree:add_proto_expert_info(e.status, "Status: " .. plain(m.name)) end
end

local function columns(pinfo, tree, m)
	local words = {}
	local function say(word) words[#words + 1] = word end
	say(m.kind == TAKEN and "Taken" or m.what or kinds[m.kind] or "Event " .. m.kind)
	if m.asReplier then say("as Replier:") end
	if m.name ~= "" then say(m.name) end
	if m.id then say(m.id) end
	if m.inReplyTo then say("to " .. m.inReplyTo) end
	if m.condition and m.condition ~= 0 then say("[" .. (conditions[m.condition] or m.condition) .. "]") end
	if m.skipped and m.skipped > 0 then say("[skipped " .. m.skipped .. "]") end
	if m.missed and m.missed > UInt64(0) then
		local events = tostring(m.missed) .. (m.missed == UInt64(1) and " event" or " events")
		say(m.kind == LOST and events or "[lost " .. events .. " before]")
	end
	if m.text then say("'" .. m.text:sub(1, 80):gsub("[\t\r\n]", " ") .. "'") end -- which plain would make "?"
	local text = plain(table.concat(words, " "))
	pinfo.cols.info = text
	tree:append_text(", " .. text)
	if m.ksock then pinfo.cols.src = m.ksock == 0 and "bus" or party(plain(m.program or ""), m.ksock) end
	if addressee[pinfo.number] then pinfo.cols.dst = addressee[pinfo.number] end
end

function kbus.dissector(tvb, pinfo, root)
	pinfo.cols.protocol = "KBUS"
	local tree = root:add(kbus, tvb:range())
	local w = setmetatable({ tvb = tvb, tree = tree, at = 0 }, Walk)
	local form = w:number(f.version, 2)
	if form and form ~= FORM then
		tree:add_proto_expert_info(e.form)
		return
	end
	local m, item = {}, nil
	m.condition, item = w:number(f.condition, 2)
	m.kind = w:number(f.kind, 4)
	w:number(f.serial, 8)
	m.bus = w:number(f.bus, 4)
	if not m.bus then return end
	event(w, m)
	message(w, m)
	judge(tree, item, m)
	if m.boot and not pinfo.visited then
		link(m, pinfo.number)
		meet(m, pinfo.number)
	end
	if m.boot then showLinks(tree, m, pinfo.number) end
	columns(pinfo, tree, m)
end

DissectorTable.get("wtap_encap"):add((wtap_encaps or wtap).USER0, kbus)
