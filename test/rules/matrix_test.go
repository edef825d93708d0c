// Package rules plays access rules as users meet them: a daemon of root, programs of several users in all languages, over
// sockets, rings and devices, also in user namespaces. What each of them may do is what package rules decides; here is seen that it is so.
package rules

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/rules/folder"
	"kbus.example/kbus/internal/testing/programs"
	"kbus.example/kbus/message"
	"kbus.example/kbus/test/conformance/driver"
)

const patience = time.Minute // to end a hang

// text is the rules, for users 1001 to 1004.
const text = `[[rule]]
allow = ["open", "send", "listen", "request", "reply"]
[[rule]]
deny = ["send", "request", "reply"]
name = "$.Door.*"
[[rule]]
allow = ["send", "request"]
name = "$.Door.Bell"
user = [1002, 1003]
[[rule]]
allow = "reply"
name = "$.Door.%"
user = 1003
[[rule]]
deny = "listen"
name = "$.Secret.*"
[[rule]]
allow = "listen"
name = "$.Secret.A"
user = 1003
[[rule]]
deny = ["open", "send", "listen"]
user = 1004
[[rule]]
deny = ["administer", "new-bus"]
`

var (
	users = []uint32{1001, 1002, 1003}
	names = []string{"$.Public", "$.Door.Bell", "$.Door.Lock", "$.Door.A.B", "$.Secret.A", "$.Secret.B"}
)

// daemon is kbusd of root, with devices where there can be some.
type daemon struct {
	dir string
	log strings.Builder
}

func startDaemon(t *testing.T, text string) *daemon {
	t.Helper()
	d := &daemon{}
	var err error
	if d.dir, err = os.MkdirTemp("", "kbus"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(d.dir) })
	must(t, os.Chmod(d.dir, 0o755))
	must(t, os.Mkdir(filepath.Join(d.dir, "rules.d"), 0o755))
	text = strings.ReplaceAll(text, "DIR", d.dir)
	must(t, os.WriteFile(filepath.Join(d.dir, "rules.d", "10.toml"), []byte(text), 0o644))
	kbusd := filepath.Join(d.dir, "kbusd")
	must(t, programs.Build(d.dir, "kbusd"))
	args := []string{"--dir", filepath.Join(d.dir, "run"), "--rules", filepath.Join(d.dir, "rules.d"), "--buses", "1"}
	if hasDevices() {
		args = append(args, "--device=fuse", "--device-link", d.device())
	}
	notes, err := programs.NewReady(d.dir)
	must(t, err)
	defer notes.Close()
	c := exec.Command(kbusd, args...)
	c.Env = append(os.Environ(), notes.Variable())
	c.Stderr = &d.log
	must(t, c.Start())
	t.Cleanup(func() {
		c.Process.Signal(syscall.SIGTERM)
		c.Wait()
		if t.Failed() {
			t.Logf("the daemon said:\n%s", d.log.String())
		}
	})
	if err := notes.Await(patience); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *daemon) device() string { return filepath.Join(d.dir, "kbus") }

func hasDevices() bool {
	_, err := os.Stat("/dev/fuse")
	return err == nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// door is a way to the bus.
type door struct {
	name    string
	command []string
	device  bool // messages are written and read in bytes
}

func module() string {
	dir, _ := filepath.Abs(filepath.Join("..", ".."))
	return dir
}

// goDoor is the Go library, in a program of that name where everybody may read it.
func (d *daemon) goDoor(t *testing.T, name string) door {
	t.Helper()
	me, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	program := filepath.Join(d.dir, name)
	must(t, os.WriteFile(program, me, 0o755))
	return door{name: "Go", command: []string{"env", "KBUS_RULES_ROLE=go", program}}
}

// doors are those that this machine has programs for.
func (d *daemon) doors(t *testing.T) (list []door) {
	t.Helper()
	list = append(list, d.goDoor(t, "go-driver"))
	if _, err := exec.LookPath("gcc"); err == nil {
		build := exec.Command("make", "-s", "-C", module()+"/bindings/c", "driver")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		c := d.readable(t, "bindings/c/build/conformance-driver")
		list = append(list, door{name: "C", command: []string{c, "modern"}}, door{name: "C, original over a socket", command: []string{c, "socket"}, device: true})
		if hasDevices() {
			list = append(list, door{name: "C, device", command: []string{c, "device"}, device: true})
		}
	}
	if python := pythonOfAll(); python != "" {
		where := filepath.Dir(d.readable(t, "bindings/python/kbus"))
		p := []string{"env", "PYTHONPATH=" + where, "PYTHONDONTWRITEBYTECODE=1", python, "-m", "kbus.conformance"}
		list = append(list, door{name: "Python", command: append(slices.Clip(p), "socket")}, door{name: "Python, asyncio", command: append(slices.Clip(p), "asyncio")})
	}
	if node, err := exec.LookPath("node"); err == nil {
		list = append(list, door{name: "JavaScript", command: []string{node, d.readable(t, "bindings/js") + "/driver/conformance.js", "socket"}})
	}
	return list
}

// readable copies a file or folder of the project to where every user can read it, which the project may not be.
func (d *daemon) readable(t *testing.T, path string) string {
	t.Helper()
	from, to := filepath.Join(module(), path), filepath.Join(d.dir, filepath.Base(path))
	if info, err := os.Stat(from); err == nil && info.IsDir() {
		must(t, os.CopyFS(to, os.DirFS(from)))
		return to
	}
	text, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, text, 0o755))
	return to
}

// pythonOfAll is a Python that every user can run; "": there is none.
func pythonOfAll() string {
	if _, err := os.Stat("/usr/bin/python3"); err == nil {
		return "/usr/bin/python3"
	}
	python, _ := exec.LookPath("python3")
	return python
}

// program is a driver that runs as some user.
type program struct {
	t *testing.T
	*driver.Process
	bytewise bool
	ksocks   int
}

// start starts a driver as a user, in a user namespace of its own if asked. It may read this project although it is not root.
func (d *daemon) start(t *testing.T, at door, uid uint32, contained bool) *program {
	t.Helper()
	command := []string{"setpriv", "--reuid", fmt.Sprint(uid), "--regid", fmt.Sprint(uid), "--clear-groups", "--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"}
	if contained {
		command = append(command, "unshare", "--user", "--map-root-user")
	}
	command = append(command, at.command...)
	if at.device {
		command = append(command, "--device-prefix", d.device())
	}
	p, err := driver.Start(command, "/", []string{"KBUS_DIR=" + filepath.Join(d.dir, "run")}, patience)
	must(t, err)
	t.Cleanup(p.Kill)
	return &program{t: t, Process: p, bytewise: at.device}
}

// ask performs a command and gives its errno and what comes behind.
func (p *program) ask(words ...any) (syscall.Errno, []string) {
	p.t.Helper()
	command := strings.TrimSuffix(fmt.Sprintln(words...), "\n")
	answer, err := p.Ask(command)
	must(p.t, err)
	n, err := strconv.Atoi(answer[0])
	must(p.t, err)
	return syscall.Errno(n), answer[1:]
}

func (p *program) open() (k int, e syscall.Errno) {
	p.t.Helper()
	k = p.ksocks
	p.ksocks++
	e, _ = p.ask("open", k, 0, "rw")
	return k, e
}

func (p *program) bind(k int, pattern string, replier int) syscall.Errno {
	p.t.Helper()
	e, _ := p.ask("bind", k, hex.EncodeToString([]byte(pattern)), replier)
	return e
}

// send sends an Announcement or a Request.
func (p *program) send(k int, flags message.Flags, name string) syscall.Errno {
	p.t.Helper()
	entire := hex.EncodeToString(driver.Entire(&message.Header{Flags: flags}, []byte(name), []byte("data")))
	if !p.bytewise {
		e, _ := p.ask("sendmessage", k, entire)
		return e
	}
	if e, _ := p.ask("write", k, entire); e != 0 {
		return e
	}
	e, _ := p.ask("send", k)
	return e
}

// reads takes all messages and gives their names.
func (p *program) reads(k int) (names []string) {
	p.t.Helper()
	for {
		var entire string
		if p.bytewise {
			e, answer := p.ask("next", k)
			if e != 0 || answer[0] != "1" {
				return names
			}
			if e, answer = p.ask("read", k, answer[1]); e != 0 {
				p.t.Fatal(e)
			}
			entire = answer[1]
		} else {
			e, answer := p.ask("receive", k)
			if e != 0 || answer[0] != "1" {
				return names
			}
			entire = answer[1]
		}
		b, err := hex.DecodeString(entire)
		must(p.t, err)
		_, name, _, c := message.ParseEntire(b, uint32(len(b)))
		must(p.t, c.Err())
		names = append(names, string(name))
	}
}

// TestMatrix: users x operations x names, through every door. What is denied is EACCES, and reaches nobody.
func TestMatrix(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	d := startDaemon(t, text)
	set, err := folder.Parse([]folder.File{{Name: "10.toml", Text: []byte(text)}}, folder.Here{})
	must(t, err)
	may := func(uid uint32, o rules.Operation, name string) bool {
		return set.Decide(&rules.Identity{UID: uid, Groups: []uint32{uid}}, rules.Question{Operation: o, Name: name}).Allow
	}
	all := d.doors(t)
	if len(all) < 2 {
		t.Log("there are only programs in Go here")
	}
	for _, at := range all {
		for _, contained := range []bool{false, true} {
			what := at.name
			if contained {
				what += ", in a user namespace"
			}
			t.Run(what, func(t *testing.T) { matrix(t, d, at, contained, may) })
		}
	}
}

func matrix(t *testing.T, d *daemon, at door, contained bool, may func(uint32, rules.Operation, string) bool) {
	if contained && exec.Command("unshare", "--user", "--map-root-user", "true").Run() != nil {
		t.Skip("no user namespaces here")
	}
	if _, e := d.start(t, at, 1004, contained).open(); e != syscall.EACCES {
		t.Errorf("user 1004 opens: %v", e)
	}
	is := func(what string, uid uint32, o rules.Operation, name string, e syscall.Errno) {
		t.Helper()
		if denied := e == syscall.EACCES; denied == may(uid, o, name) {
			t.Errorf("user %d, %s %s: %v", uid, what, name, e)
		}
	}
	programs, listeners := map[uint32]*program{}, map[uint32]int{}
	var want = map[uint32][]string{}
	for _, uid := range users {
		p := d.start(t, at, uid, contained)
		programs[uid] = p
		k, e := p.open()
		if e != 0 {
			t.Fatalf("user %d opens: %v", uid, e)
		}
		listeners[uid] = k
		is("listens to", uid, rules.Listen, "$.*", p.bind(k, "$.*", 0))
		for _, name := range append([]string{"$.Secret.*", "$.Door.*", "$.Secret.A.%"}, names...) {
			k, _ := p.open()
			is("listens to", uid, rules.Listen, name, p.bind(k, name, 0))
			p.ask("close", k)
		}
		for _, name := range append([]string{"$.Door.*", "$.Door.%", "$.*"}, names...) {
			k, _ := p.open()
			is("replies to", uid, rules.Reply, name, p.bind(k, name, 1))
			p.ask("close", k)
		}
	}
	for _, uid := range users {
		p := programs[uid]
		k, _ := p.open()
		for _, name := range names {
			is("sends", uid, rules.Send, name, p.send(k, 0, name))
			is("asks", uid, rules.Request, name, p.send(k, message.WantAReply, name)) // nobody replies
			for _, l := range users {
				if may(uid, rules.Send, name) && may(l, rules.Listen, name) {
					want[l] = append(want[l], name)
				}
			}
		}
		if e, _ := p.ask("value", k, "verbose", 1); e != syscall.EACCES && e != syscall.EPERM {
			t.Errorf("user %d turns a switch: %v", uid, e)
		}
		p.ask("close", k)
	}
	for _, uid := range users {
		if got := programs[uid].reads(listeners[uid]); !slices.Equal(got, want[uid]) {
			t.Errorf("user %d was sent %q, and may have %q", uid, got, want[uid])
		}
		programs[uid].Kill()
	}
}
