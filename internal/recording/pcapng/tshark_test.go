package pcapng

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/testing/sample"
	"kbus.example/kbus/message"
)

const dissector = "../../../dist/wireshark/kbus.lua"

// tshark reads a file with our dissector. Where everything is to be tested, it must be there.
func tshark(t *testing.T, file []byte, args ...string) (lines []string) {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("Wireshark is not asked: no tshark here; install it with: apt-get install tshark")
	}
	path := filepath.Join(t.TempDir(), "a.pcapng")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, append([]string{"-n", "-X", "lua_script:" + dissector, "-r", path}, args...)...)
	c.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CONFIG_HOME=", "LC_ALL=C.UTF-8") // nobody's own plugins
	var errors strings.Builder
	c.Stderr = &errors
	out, err := c.Output()
	if said := errors.String(); err != nil || strings.Contains(said, "Lua") || strings.Contains(said, "damaged") {
		t.Fatalf("%v: %s%s", err, out, said)
	}
	return strings.Split(strings.TrimRight(string(out), "\n"), "\n")
}

// fields asks for fields of the packets that pass a filter, a line each.
func fields(filter string, names ...string) []string {
	args := []string{"-2", "-Y", filter, "-T", "fields", "-E", "separator=|"}
	for _, n := range names {
		args = append(args, "-e", n)
	}
	return args
}

// What a person looks for in Wireshark is there: of each field, where it is set and to what.
func TestTshark(t *testing.T) {
	wants := []struct{ field, want string }{ // by packet
		{"frame.number", "1 2 3 4 5 6 7 8 9 10"},
		{"frame.interface_name", "bus3 bus3 bus3 bus3 bus3 bus3 bus3 bus3 bus3 bus3"},
		{"kbus.serial", "1 2 3 4 5 6 7 8 9 10"},
		{"kbus.kind", "4 6 1 3 1 1 1 1 5 2"},
		{"kbus.name", "- $.Lamp.Set $.Lamp.Set $.Lamp.Set $.Lamp.Set $.Door.Open $.Picture $.Lamp.Set - $.KBUS.Replier.GoneAway"},
		{"kbus.message", "- - Request Request Reply Request Announcement Request - Status"},
		{"kbus.request", "- - 1 - - 1 - 1 - -"},
		{"kbus.reply", "- - - - 1 - - - - 1"},
		{"kbus.replier", "0 0 1 0 0 0 0 1 0 0"},
		{"kbus.as_replier", "0 1 0 0 0 0 0 0 0 0"},
		{"kbus.ksock", "1 1 2 1 1 2 2 2 1 0"},
		{"kbus.program", "lamp lamp switch lamp lamp switch switch switch lamp -"},
		{"kbus.pid", "101 101 102 101 101 102 102 102 101 0"},
		{"kbus.from", "0 0 2 2 1 2 2 2 0 0"},
		{"kbus.to", "0 0 0 0 2 0 0 0 0 2"},
		{"kbus.id", "- - 0:1 0:1 0:2 - 0:3 0:4 - 0:5"},
		{"kbus.in_reply_to", "- - - - 0:1 - - - - 0:4"},
		{"kbus.taken_in", "- - 4 - - - - - - -"},
		{"kbus.reply_in", "- - 5 - - - - 10 - -"},
		{"kbus.request_in", "- - - 3 3 - - - - 8"},
		{"kbus.reply_time", "- - - 0.250000000 0.500000000 - - - - 0.500000000"},
		{"kbus.text", "- - on - it_is_on - - off - -"},
		{"kbus.data", "- - 6f6e - 6974206973206f6e - 00ff80 6f6666 - -"},
		{"kbus.data_bytes", "0 0 2 0 8 0 5000 3 0 0"},
		{"kbus.condition", "0 0 0 0 0 4 0 0 0 0"},
		{"kbus.missed", "0 0 0 0 0 0 12 0 0 0"},
		{"kbus.skipped", "0 0 0 0 0 0 2 0 0 0"},
		{"kbus.is_refused", "- - - - - 1 - - - -"},
		{"kbus.is_pending", "- - - - - - - - - -"},
		{"kbus.is_status", "- - - - - - - - - 1"},
		{"kbus.is_lost", "- - - - - - 1 - - -"},
		{"kbus.is_skipped", "- - - - - - 1 - - -"},
		{"kbus.is_cut", "- - - - - - 1 - - -"},
		{"kbus.is_malformed", "- - - - - - - - - -"},
		{"kbus.flags.want_a_reply", "0 0 1 1 0 1 0 1 0 0"},
		{"kbus.flags.synthetic", "0 0 0 0 0 0 0 0 0 1"},
		{"frame.cap_len", "148 158 162 158 166 161 162 163 148 167"},
		{"frame.len", "148 158 162 158 166 161 5159 163 148 167"},
		{"frame.comment", "Ksock_1_is_lamp,_process_101,_user_1000 - Ksock_2_is_switch,_process_102,_user_1000 - - - - - - -"},
		{"_ws.lua.error", "- - - - - - - - - -"},
	}
	var names []string
	for _, w := range wants {
		names = append(names, w.field)
	}
	got := make([][]string, len(wants))
	for _, line := range tshark(t, file(t, le, sample.Talk()), fields("frame", names...)...) {
		for i, value := range strings.Split(line, "|") {
			got[i] = append(got[i], cmp.Or(strings.ReplaceAll(value, " ", "_"), "-"))
		}
	}
	for i, w := range wants {
		if strings.Join(got[i], " ") != w.want {
			t.Errorf("%s: %s, want %s", w.field, strings.Join(got[i], " "), w.want)
		}
	}
}

// The columns tell what a person reads first: who, for whom, and what happened.
func TestTsharkColumns(t *testing.T) {
	events := append(sample.Talk(), event.Event{Kind: event.Lost, Missed: 12, Bus: 3, Wall: 1e18})
	got := tshark(t, file(t, le, events), "-o", `gui.column.format:"s","%s","d","%d","i","%i"`)
	for i, want := range []string{
		"lamp (1) Opened",
		"lamp (1) Bound as Replier: $.Lamp.Set",
		"switch (2) lamp (1) Request $.Lamp.Set 0:1 'on'",
		"lamp (1) Taken $.Lamp.Set 0:1",
		"lamp (1) switch (2) Reply $.Lamp.Set 0:2 to 0:1 'it is on'",
		"switch (2) Request $.Door.Open [ErrNoReplier]",
		"switch (2) Announcement $.Picture 0:3 [skipped 2] [lost 12 events before]",
		"switch (2) lamp (1) Request $.Lamp.Set 0:4 'off'",
		"lamp (1) Closed",
		"bus switch (2) Status $.KBUS.Replier.GoneAway 0:5 to 0:4",
		"bus Lost 12 events",
	} {
		if i >= len(got) || strings.Join(strings.Fields(strings.ReplaceAll(got[i], "→", "")), " ") != want {
			t.Errorf("packet %d: %q, want %q", i+1, got[min(i, len(got)-1)], want)
		}
	}
}

// In one pass a Reply knows its Request.
func TestTsharkOnePass(t *testing.T) {
	got := tshark(t, file(t, le, sample.Talk()), "-Y", "kbus.reply", "-T", "fields", "-e", "kbus.request_in")
	if strings.Join(got, " ") != "3 8" {
		t.Errorf("the Requests are %q", got)
	}
}

// Of a Request that has waited, the Reply is to when it went; a Reply that was refused is none, and an id that comes again, in another life
// of the bus, is another Request.
func TestTsharkLinks(t *testing.T) {
	request := event.Event{Kind: event.Sent, Header: message.Header{ID: message.ID{Serial: 1}, Flags: message.WantAReply}, Name: []byte("$.A")}
	waits, other := request, request
	waits.Condition, other.Bus = message.ErrPending, 5
	reply := event.Event{Kind: event.Sent, Header: message.Header{ID: message.ID{Serial: 2}, InReplyTo: request.Header.ID}, Name: request.Name}
	refused := reply
	refused.Condition = message.ErrNotYoursToReply
	got := tshark(t, file(t, le, []event.Event{waits, request, other, refused, reply, request, reply}),
		fields("frame", "kbus.is_pending", "kbus.request_in", "kbus.reply_in")...)
	if strings.Join(got, " ") != "1|| ||5 || |2| |2| ||7 |6|" {
		t.Errorf("%q", got)
	}
}

// A packet may be cut anywhere, by a tool or by somebody who lies about it; the dissector says so, and stays within it.
func TestTsharkCut(t *testing.T) {
	e := sample.Talk()[2]
	packet := appendPacket(nil, &e)
	var b strings.Builder
	w := NewWriter(&b)
	id := w.addInterface(3)
	for _, reported := range []int{len(packet), 0} {
		for n := 1; n < len(packet); n++ {
			at := w.begin(packetBlock)
			for _, x := range []uint32{id, 0, 0, uint32(n), uint32(max(n, reported))} {
				w.u32(x)
			}
			from := len(w.buf)
			w.buf = append(w.buf, packet[:n]...)
			w.pad(from)
			w.end(at)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for i, line := range tshark(t, []byte(b.String()), fields("frame", "kbus.is_cut", "kbus.is_malformed", "_ws.lua.error")...) {
		if n := len(packet) - 1; i < n && line != "1||" || i >= n && line != "|1|" {
			t.Errorf("cut to %d: %q", i%n+1, line)
		}
	}
}

// The longest packet is one that the tools take.
func TestTsharkLong(t *testing.T) {
	e := event.Event{Kind: event.Sent, Name: []byte("$.A"), Data: make([]byte, 2*mostPacket), DataBytes: 1 << 31}
	got := tshark(t, file(t, le, []event.Event{e}), fields("kbus.is_cut", "kbus.data_bytes", "frame.cap_len")...)
	if got[0] != "2147483648|262144" {
		t.Errorf("%q", got)
	}
}

// Whatever a name, a program or the data says, a terminal obeys nothing of it: the name of what was refused has been judged by nobody.
func TestTsharkHostile(t *testing.T) {
	const evil = "\x1b]0;mine\a\x1b[2J\r\n\u009b2J"
	events := []event.Event{
		{Kind: event.Sent, Condition: message.ErrBadName, Ksock: 2, Program: evil, Name: []byte("$.A" + evil), Data: []byte("\u009b2J"), DataBytes: 4},
		{Kind: event.Status, Ksock: 3, Program: evil, Name: []byte(message.NameGoneAway + evil), Header: message.Header{InReplyTo: message.ID{Serial: 1}, To: 2, Flags: message.Synthetic}},
	}
	for i := range events {
		events[i].Serial, events[i].Boot, events[i].Wall = uint64(i+1), 1, 1e18
	}
	for _, args := range []string{"", "-V", "-q -z expert"} {
		got := strings.Join(tshark(t, file(t, le, events), strings.Fields(args)...), "\n")
		if strings.ContainsAny(got, "\x1b\a\r\u009b") || got == "" {
			t.Errorf("tshark %s: %q", args, got)
		}
	}
}

// The dissector knows the conditions and their numbers.
func TestDissectorConditions(t *testing.T) {
	text, err := os.ReadFile(dissector)
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?s)local conditions = \{\s*\[0\] = (.*?)\n\}`).FindSubmatch(text)
	if list == nil {
		t.Fatal("it has no list")
	}
	want := []string{message.OK.Name()}
	for _, c := range message.Conditions() {
		want = append(want, c.Name())
	}
	var got []string
	for _, name := range regexp.MustCompile(`"(\w+)"`).FindAllSubmatch(list[1], -1) {
		got = append(got, string(name[1]))
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%q, want %q", got, want)
	}
}
