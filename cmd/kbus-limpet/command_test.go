package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/pflag"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/wire"
)

// What is wrong with a command line is said in its own words, with the usage behind it.
func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args   string
		status int
		words  string
	}{
		{"", 0, ""},
		{"help pair", 0, ""},
		{"version", 0, ""},
		{"completion bash", 0, ""},
		{"completion tcsh", 2, "SHELL is bash, zsh, fish or powershell"},
		{"par", 2, `there is no command "par"; did you mean pair?`},
		{"pair", 2, "either --listen ADDRESS or --connect ADDRESS is needed"},
		{"pair --listen a --connect b", 2, "either --listen ADDRESS or --connect ADDRESS is needed"},
		{"pair --listen a --legacy", 2, "a network id is needed"},
		{"pair --listen a --id 1", 2, "certificates are needed (see kbus-limpet help certs), or --legacy"},
		{"pair --listen a --id 1 --cert c", 2, "--authority, --cert and --key are needed together"},
		{"pair --listen a --id 1 --cert c --certs d", 2, "either --certs DIR or"},
		{"pair --connect a --id 1 --legacy --certs d", 2, "either by TLS or with --legacy"},
		{"pair --listen :x --id 1 --legacy", 2, "a port is a number up to 65535"},
		{"pair --listen :70000 --id 1 --legacy", 2, "a port is a number up to 65535"},
		{"pair --connect /" + strings.Repeat("a", 107) + " --id 1 --legacy", 2, "has 108 bytes, and the path of a socket 107 at most"},
		{"pair --listen /nowhere/" + strings.Repeat("a", 98) + " --id 1 --legacy --dir /nowhere", 2, "no bus 0 in /nowhere"},
		{"pair --listen a --id 1 --legacy --name A", 2, "A is not a name that can be bound to"},
		{"pair --listen a --id 1 --legacy --stop-on $.*", 2, "$.* is not a name that a message can have"},
		{"pair --listen a --id 1 --legacy --queue 0", 2, "larger than 0"},
		{"pair --listen a --id -1", 2, "invalid argument"},
		{"pair --listen a --id 1 --legacy --bus 256", 2, "buses are numbered from 0 to 255"},
		{"pair --listen a --id 1 --legacy --dir /nowhere --bus 7", 2, "no bus 7 in /nowhere: is kbusd running? Start it with: kbusd --dir /nowhere --buses 8"},
		{"pair --listen a --id 1 --legacy --dir /nowhere", 2, "no bus 0 in /nowhere: is kbusd running? Start it with: kbusd --dir /nowhere"},
		{"pair --listen a --id 1 --certs /nowhere", 2, "/nowhere/authority.pem: no such file"},
		{"join --id 1 --servers nats://10.1.2.3", 2, "to 10.1.2.3:4222 everything would go in plain text: say tls:// or --certs DIR"},
		{"join --id 1 --servers tls://10.1.2.3,somewhere:1", 2, "to somewhere:1 everything would go in plain text"},
		{"join --id 1 --certs d --nkey k", 2, "either --certs DIR or --tls-ca"},
		{"join --id 1 --certs /nowhere", 2, "/nowhere/authority.pem: no such file"},
		{"join --id 1 --servers nats://127.0.0.1:1,", 2, "there is no host before or behind a comma"},
		{"join --id 1 --tls-ca /nowhere/ca", 2, "/nowhere/ca: no such file"},
		{"join --id 1 --tls-ca /proc/self/stat", 22, "failed to parse root certificate"},
		{"join --id 1 --tls-cert /nowhere/cert --tls-key k", 2, "/nowhere/cert: no such file"},
		{"join --id 1 --creds /nowhere/creds", 2, "/nowhere/creds: no such file"},
		{"join --id 1 --creds /proc/self/stat", 22, "the credentials /proc/self/stat: unable to extract key pair"},
		{"join --id 1 --nkey /nowhere/nk", 2, "/nowhere/nk: no such file"},
		{"join --id 1 --nkey /proc/self/stat", 22, "the nkey /proc/self/stat"},
		{"serve --id 1 --store /tmp/none --listen 10.1.2.3:4222", 22, "everybody who reaches 10.1.2.3:4222 could come in where bowls do, in plain text"},
		{"serve --id 1 --store /tmp/none --listen :4222", 22, `--listen ":4222" is not HOST:PORT`},
		{"serve --id 1 --store /tmp/none --listen 127.0.0.1:0 --peers 10.1.2.3:1 --routes 10.1.2.4:1", 22, "servers of the cluster do, in plain text"},
		{"nkey", 2, "DIR or FILE is missing"},
		{"nkey /tmp/none --id x", 2, "a network id is a number from 1"},
		{"certs", 2, "DIR is missing"},
		{"certs /tmp", 2, "--id is missing"},
		{"certs /tmp --id 0", 2, "a network id is a number from 1"},
		{"certs /proc/none --id 1", 2, "no such file"},
	} {
		p := start(t, nil, append([]string{"kbus-limpet"}, strings.Fields(c.args)...)...)
		status := p.status()
		if logged := strings.Join(p.logged, "\n"); status != c.status || !strings.Contains(logged, c.words) {
			t.Errorf("%s: status %d\n%s", c.args, status, logged)
		}
		if c.status == 0 {
			continue
		}
		p = start(t, nil, append([]string{"kbus-limpet"}, append(strings.Fields(c.args), "--json")...)...)
		status = p.status()
		var failure struct {
			Error string
			Name  string `json:"errno_name"`
		}
		if len(p.logged) != 1 || json.Unmarshal([]byte(p.logged[0]), &failure) != nil || status != c.status ||
			!strings.Contains(failure.Error, c.words) || failure.Name == "" {
			t.Errorf("%s --json: status %d\n%s", c.args, status, strings.Join(p.logged, "\n"))
		}
	}
}

// TestManual: docs/limpets.md tells of every flag that it has a table for, and the help fits on a terminal.
func TestManual(t *testing.T) {
	page, err := os.ReadFile("../../docs/limpets.md")
	must(t, err)
	for _, c := range newRoot(newLine()).Commands() {
		if !slices.Contains([]string{"version", "completion", "help"}, c.Name()) {
			c.LocalFlags().VisitAll(func(f *pflag.Flag) {
				if f.Name != "help" && !strings.Contains(string(page), "--"+f.Name) {
					t.Errorf("the manual does not tell of --%s of %s", f.Name, c.Name())
				}
			})
		}
		for line := range strings.Lines(c.Long + "\n" + c.Example + "\n" + c.UsageString()) {
			if len(line) > 100 {
				t.Errorf("%s: %s", c.Name(), line)
			}
		}
	}
}

// The log and errors as JSON lines.
func TestJSON(t *testing.T) {
	dir := t.TempDir()
	daemon(t, dir)
	p := start(t, nil, "kbus-limpet", "pair", "--json", "--dir", dir, "--listen", dir+"/l", "--id", "1", "--legacy")
	var line struct {
		Msg, Address, Error string
		Errno               int
	}
	must(t, json.Unmarshal([]byte(p.await("listening")), &line))
	if line.Address != dir+"/l" {
		t.Errorf("%+v", line)
	}
	second := start(t, nil, "kbus-limpet", "pair", "--json", "--dir", dir, "--listen", dir+"/l", "--id", "2", "--legacy")
	if status := second.status(); status != int(syscall.EADDRINUSE) {
		t.Errorf("status %d", status)
	}
	must(t, json.Unmarshal([]byte(second.logged[0]), &line))
	if line.Errno != int(syscall.EADDRINUSE) || !strings.Contains(line.Error, "address already in use") {
		t.Errorf("%+v", line)
	}
	if status := p.terminate(); status != 0 {
		t.Errorf("terminated: status %d", status)
	}
}

// Part 9.9: the command line of the original.
func TestOriginalCommandLine(t *testing.T) {
	for _, c := range []struct {
		args   string
		status int
		words  string
	}{
		{"", 0, ""}, {"-h", 0, ""}, {"--help", 0, ""},
		{"-c", 1, "### an address is needed"},
		{"somewhere", 1, "### either -s or -c is needed"},
		{"-c somewhere -id 0", 1, "### -id 0: a network id is a number from 1"},
		{"-c somewhere -id", 1, "### -id: its value is missing"},
		{"-c somewhere -k 999", 1, "### -k 999: buses are numbered"},
		{"-c somewhere -v 3", 1, "### -v 3: it is 0, 1 or 2"},
		{"-c somewhere -x", 1, "### unexpected switch -x"},
		{"-c somewhere -m nothing", 1, "### nothing is not a name"},
	} {
		p := start(t, nil, append([]string{originalName}, strings.Fields(c.args)...)...)
		status := p.status()
		if logged := strings.Join(p.logged, "\n"); status != c.status || !strings.Contains(logged, c.words) ||
			status == 0 && !strings.HasPrefix(p.out.String(), "usage: runlimpet") {
			t.Errorf("%s: status %d\n%s%s", c.args, status, logged, &p.out)
		}
	}
	o, err := parseOriginal(strings.Fields("-s -c -server h:1 path -id 3 -kbus 4 -message $.A.* -t $.Stop -verbose 2 -id 5"))
	if err != nil || !o.Listen || o.Address != "path" || o.ID != 5 || o.bus != 4 || o.Name != "$.A.*" || o.StopOn != "$.Stop" {
		t.Errorf("%+v, %v", o, err)
	}
	for role, id := range map[string]uint32{"-c": 1, "-s": 2} {
		if o, err := parseOriginal([]string{role, "path"}); err != nil || o.ID != id {
			t.Errorf("%s: %+v, %v", role, o, err)
		}
	}
}

// Two of them, and the message that ends one: the other ends because the link does (R9.60, R9.61).
func TestOriginal(t *testing.T) {
	var dirs [2]string
	for i := range dirs {
		dirs[i] = t.TempDir()
		daemon(t, dirs[i])
	}
	address := filepath.Join(t.TempDir(), "limpet")
	server := start(t, []string{"KBUS_DIR=" + dirs[0]}, originalName, "-s", address, "-t", "$.Stop.Now")
	server.await("listening")
	client := start(t, []string{"KBUS_DIR=" + dirs[1]}, originalName, address, "-c", "-v", "2")
	client.await("joined", "peer=2", "security=plain")
	server.await("joined", "peer=1", "security=plain")
	k := open(t, dirs[1])
	_, err := k.Send(t.Context(), kbus.Announcement("$.Hello", "there"))
	must(t, err)
	client.await("$.Hello") // -v 2
	_, err = open(t, dirs[0]).Send(t.Context(), kbus.Announcement("$.Stop.Now", ""))
	must(t, err)
	if status := server.status(); status != 0 {
		t.Errorf("the one that was stopped: status %d", status)
	}
	if status := client.status(); status != 1 || !hasAll(strings.Join(client.logged, "\n"), []string{"### ", "has closed the link"}) {
		t.Errorf("the other one: status %d", status)
	}
}

// B24, where the daemon does not allow copies for Listeners only: they are Announcements there.
func TestWithoutLeave(t *testing.T) {
	var dirs [2]string
	address := filepath.Join(t.TempDir(), "limpet")
	for i, role := range []string{"--listen", "--connect"} {
		dirs[i] = t.TempDir()
		daemon(t, dirs[i], "--limpets", "nobody")
		start(t, nil, "kbus-limpet", "pair", role, address, "--legacy", "--dir", dirs[i], "--id", fmt.Sprint(i+1),
			"--longest-pause", "50ms", "--name", "$.Overheard.*")
	}
	far := open(t, dirs[1])
	must(t, far.Bind(t.Context(), "$.Overheard.*", kbus.Listener))
	must(t, far.Bind(t.Context(), kbus.NameReplierBindEvent, kbus.Listener))
	_, err := far.Settings().SetReportReplierBinds(t.Context(), true)
	must(t, err)
	k := open(t, dirs[0])
	must(t, k.Bind(t.Context(), "$.Overheard.Q", kbus.Replier))
	for joined := false; !joined; {
		m, err := far.Receive(t.Context())
		must(t, err)
		e, _ := kbus.ParseBindEvent(m.Data)
		joined = e.Name == "$.Overheard.Q"
	}
	_, err = k.Send(t.Context(), kbus.Request("$.Overheard.Q", "to myself"))
	must(t, err)
	m, err := far.Receive(t.Context())
	must(t, err)
	if m.Kind() != kbus.AnnouncementKind || string(m.Data) != "to myself" {
		t.Errorf("%v", m)
	}
}

// An original Limpet at the other end, as bytes: part 9.4 and 9.5 as they are on the wire.
func TestWireLevelPeer(t *testing.T) {
	dir := t.TempDir()
	daemon(t, dir)
	p := start(t, nil, "kbus-limpet", "pair", "--dir", dir, "--listen", dir+"/l", "--id", "1", "--legacy")
	p.await("listening")
	conn, err := net.Dial("unix", dir+"/l")
	must(t, err)
	defer conn.Close()
	_, err = conn.Write(wire.AppendHello(nil, 2))
	must(t, err)
	var hello [wire.HelloBytes]byte
	_, err = io.ReadFull(conn, hello[:])
	must(t, err)
	if id, err := wire.ParseHello(hello, 2); id != 1 || err != nil {
		t.Fatalf("%q", hello)
	}
	from := wire.NewReader(conn, 1<<20)
	gets := func(want string) {
		t.Helper()
		var m kbus.Message
		must(t, from.Read(&m))
		if m.String() != want {
			t.Errorf("got  %v\nwant %s", &m, want)
		}
	}
	sends := func(m *kbus.Message) {
		t.Helper()
		_, err := conn.Write(wire.AppendMessage(nil, m))
		must(t, err)
	}

	p.await("joined", "peer=2")
	k := open(t, dir)
	must(t, k.Bind(t.Context(), "$.*", kbus.Listener))
	must(t, k.Bind(t.Context(), "$.Q", kbus.Replier))
	gets("<ReplierBindEvent id=[1:1], orig_from=(1,0), flags=0x204 (SYN,aFL), [Bind '$.Q' for 3]>")
	_, err = k.Send(t.Context(), kbus.Announcement("$.KBUS.Replier", "which is never passed on"))
	must(t, err)
	_, err = k.Send(t.Context(), kbus.Announcement("$.Hello", "there"))
	must(t, err)
	gets("<Announcement '$.Hello', id=[1:3], from=3, orig_from=(1,3), data='there'>")

	sends(&kbus.Message{
		Header: kbus.Header{ID: kbus.ID{Network: 2, Serial: 7}, From: 9, OrigFrom: kbus.Origin{Network: 2, Local: 9},
			Flags: kbus.WantAReply | kbus.WantYouToReply},
		Name: "$.Q", Data: []byte("?"),
	})
	for {
		m, err := k.Receive(t.Context())
		must(t, err)
		if m.WantsUsToReply() {
			reply, err := m.Reply([]byte("yes"))
			must(t, err)
			_, err = k.Send(t.Context(), reply)
			must(t, err)
			break
		}
	}
	gets("<Reply '$.Q', id=[1:4], to=2, from=3, orig_from=(1,3), in_reply_to=[2:7], data='yes'>")

	sends(&kbus.Message{
		Header: kbus.Header{ID: kbus.ID{Network: 2, Serial: 8}, From: 9, Flags: kbus.WantAReply | kbus.WantYouToReply},
		Name:   "$.Nobody",
	})
	gets("<Status '$.KBUS.RemoteError.99', to=9, in_reply_to=[2:8]>")
}
