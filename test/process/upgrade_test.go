package process

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus"
)

// An upgrade of the daemon is noticed by nobody (docs/handover.md); and whoever is killed in the middle of one, either the old
// daemon goes on, or the new one does, or it is as if the daemon had been killed.

var upgradesFlag = flag.Int("process.upgrades", 20, "how often the daemon is upgraded under traffic")

// upgrade has another process take over from the daemon, and returns when the old one has ended and the new one is ready.
func (d *daemon) upgrade() error {
	old := d.gone
	if err := d.start(daemonPath(d.t), "--log-level", "info", "--replace"); err != nil {
		return err
	}
	<-old
	return nil
}

// TestOrderUpgraded: all hear all messages, once and in one order, while the daemon is upgraded again and again.
func TestOrderUpgraded(t *testing.T) {
	onBoth(t, func(t *testing.T, rings bool) {
		order(t, *messagesFlag, "the same with upgrades, "+filepath.Base(t.Name()), rings, func(d *daemon, done <-chan struct{}) {
			for n := range *upgradesFlag {
				if err := d.upgrade(); err != nil {
					t.Error(err)
					return
				}
				select {
				case <-done:
					t.Logf("all was heard after %d upgrades", n+1)
					return
				default:
				}
			}
		})
	})
}

// cut is a moment of a hand-over at which somebody dies: when so many words have been said, before or after the other side has
// got the last of them.
type cut struct {
	words  int
	passed bool // the last one has been passed on
	old    bool // it is the old daemon that dies
}

func (c cut) String() string {
	who, when := "new", "before"
	if c.old {
		who = "old"
	}
	if c.passed {
		when = "after"
	}
	return fmt.Sprintf("%s dies %s word %d", who, when, c.words)
}

// The words of a hand-over with so few descriptors.
const (
	hello = 1 + iota
	state
	descriptors
	readyToGo
	goOn
)

// survivor is who must be the daemon then.
func (c cut) survivor() string {
	switch {
	case c.words == goOn && c.passed && c.old:
		return "new"
	case c.old, c.words == goOn, c.words == readyToGo && c.passed: // then the old one has said go
		return "nobody"
	}
	return "old"
}

// TestKilledWithinUpgrade kills either side by kill -9 at each moment of a hand-over.
func TestKilledWithinUpgrade(t *testing.T) {
	onBoth(t, func(t *testing.T, rings bool) {
		for words := hello; words <= goOn; words++ {
			for _, passed := range []bool{false, true} {
				for _, old := range []bool{false, true} {
					c := cut{words, passed, old}
					t.Run(c.String(), func(t *testing.T) { killWithin(t, c, rings) })
				}
			}
		}
	})
}

func killWithin(t *testing.T, c cut, rings bool) {
	services := tempDir(t)
	writeSleeper(t, services)
	d := startDaemon(t, "--services", services)
	d.rings = rings
	k := d.open()
	program := d.program()
	must(t, k.Bind(t.Context(), "$.A", kbus.Listener))
	_, err := k.Send(t.Context(), &kbus.Message{Name: "$.A", Data: []byte("before")})
	must(t, err)

	between := stepBetween(t, d.dir)
	successor := exec.Command(daemonPath(t), "--dir", d.dir, "--services", services, "--log-level", "error", "--replace")
	successor.Stderr = d.log
	must(t, startProcess(successor))
	ended := make(chan struct{})
	go func() { successor.Wait(); close(ended) }()
	t.Cleanup(func() { syscall.Kill(successor.Process.Pid, syscall.SIGKILL); <-ended })
	between.pass(c.words - 1)
	if c.passed {
		between.pass(1)
	} else {
		_, rights, _ := between.take()
		for _, fd := range rights {
			unix.Close(fd)
		}
	}
	if c.old {
		d.kill()
	} else {
		syscall.Kill(successor.Process.Pid, syscall.SIGKILL)
		<-ended
		if c.words == readyToGo && c.passed {
			between.awaitOld() // it says go, to nobody
		}
	}
	between.close()
	switch survivor := c.survivor(); survivor {
	case "old", "new":
		checkOn(t, k, "before")
		if survivor == "old" {
			<-ended
			program.runs()
			break
		}
		program.ends()
		program.isAnother()
	default:
		<-ended
		<-d.gone
		program.ends()
		m, err := k.Receive(t.Context())
		if err == nil { // a client may have taken it already
			m, err = k.Receive(t.Context())
		}
		if !errors.Is(err, kbus.ErrBusGone) {
			t.Errorf("with no daemon, the client gets %v, %v", m, err)
		}
		next := startDaemonIn(t, d.dir)
		checkOn(t, next.open(), "")
	}
}

// program is one that a Request has started, which it does not answer.
type program struct {
	d     *daemon
	asker *kbus.Ksock
	pid   uint32
	pidfd int
}

func (d *daemon) program() *program {
	d.t.Helper()
	p := &program{d: d, asker: d.open()}
	_, err := p.asker.Send(d.t.Context(), kbus.Request("$.P", ""))
	must(d.t, err)
	for o, pid := d.observe(), uint32(0); pid == 0; {
		list, err := o.Services(d.t.Context())
		must(d.t, err)
		if pid = list[0].PID; pid != 0 {
			p.pid = pid
			p.pidfd, err = unix.PidfdOpen(int(pid), 0)
			must(d.t, err)
		}
	}
	d.t.Cleanup(func() { unix.Close(p.pidfd) })
	return p
}

// runs checks that it does, and that the daemon that there is has it.
func (p *program) runs() {
	p.d.t.Helper()
	must(p.d.t, unix.PidfdSendSignal(p.pidfd, unix.SIGCONT, nil, 0))
	list, err := p.d.observe().Services(p.d.t.Context())
	must(p.d.t, err)
	if list[0].State != "starting" || list[0].PID == 0 {
		p.d.t.Errorf("its program is %+v", list[0])
	}
}

// isAnother waits until another has been started for who has asked.
func (p *program) isAnother() {
	p.d.t.Helper()
	for o := p.d.observe(); ; {
		list, err := o.Services(p.d.t.Context())
		must(p.d.t, err)
		if pid := list[0].PID; pid != 0 && pid != p.pid {
			return
		}
	}
}

// ends waits for its end.
func (p *program) ends() {
	for {
		if n, err := unix.Poll([]unix.PollFd{{Fd: int32(p.pidfd), Events: unix.POLLIN}}, -1); n > 0 && err == nil {
			return
		}
	}
}

// TestReplaceWithPrograms: --replace takes over at once from a daemon whose process stays, as the guardian of its programs, and who
// stops the new one has waited for all.
func TestReplaceWithPrograms(t *testing.T) {
	services := tempDir(t)
	writeSleeper(t, services)
	d := startDaemon(t, "--services", services)
	program, old, talk := d.program(), d.gone, d.conversation(t)
	for range 2 {
		must(t, d.start(daemonPath(t), "--services", services, "--log-level", "error", "--replace"))
		talk.goesOn()
		program.runs()
	}
	select {
	case <-old:
		t.Error("nobody looks after the program")
	default:
	}
	must(t, d.process.Process.Signal(syscall.SIGTERM))
	<-d.gone
	program.ends()
	<-old
}

// writeSleeper writes the file of a service whose program becomes nobody's Replier.
func writeSleeper(t *testing.T, services string) {
	t.Helper()
	text := "name = \"$.P\"\nexec = [\"/bin/sleep\", \"1000000\"]\ndeadline = \"1h\"\n"
	must(t, os.WriteFile(filepath.Join(services, "a.toml"), []byte(text), 0o600))
}

// checkOn checks that a bus works for a Ksock, whose queue has that message.
func checkOn(t *testing.T, k *kbus.Ksock, queued string) {
	t.Helper()
	_, err := k.Send(t.Context(), &kbus.Message{Name: "$.A", Data: []byte("after")})
	must(t, err)
	if queued == "" {
		return
	}
	for _, want := range []string{queued, "after"} {
		m, err := k.Receive(t.Context())
		must(t, err)
		if string(m.Data) != want {
			t.Errorf("heard %q, want %q", m.Data, want)
		}
	}
}

// middle passes the words of a hand-over on between the two daemons, one by one.
type middle struct {
	t        testing.TB
	old, new int
	accepts  *net.UnixListener
}

// stepBetween takes the place of the control socket of a directory.
func stepBetween(t testing.TB, dir string) *middle {
	path := filepath.Join(dir, "kbusd.ctl")
	must(t, os.Rename(path, path+"0"))
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	must(t, err)
	m := &middle{t: t, old: connectTo(t, path+"0"), new: -1, accepts: l}
	t.Cleanup(func() { l.Close(); os.Remove(path + "0") })
	return m
}

func connectTo(t testing.TB, path string) int {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	must(t, unix.Connect(fd, &unix.SockaddrUnix{Name: path}))
	return fd
}

// awaitOld waits for a word of the old daemon.
func (m *middle) awaitOld() {
	for {
		if n, err := unix.Poll([]unix.PollFd{{Fd: int32(m.old), Events: unix.POLLIN}}, -1); n > 0 && err == nil {
			return
		}
	}
}

// take waits for the next word, and gives it and what came with it to nobody.
func (m *middle) take() (word []byte, rights []int, to int) {
	if m.new < 0 {
		c, err := m.accepts.AcceptUnix()
		must(m.t, err)
		file, err := c.File()
		must(m.t, err)
		c.Close()
		m.new, err = unix.Dup(int(file.Fd()))
		must(m.t, err)
		unix.CloseOnExec(m.new)
		file.Close()
		must(m.t, unix.SetNonblock(m.new, false))
	}
	both := []unix.PollFd{{Fd: int32(m.old), Events: unix.POLLIN}, {Fd: int32(m.new), Events: unix.POLLIN}}
	for {
		if n, err := unix.Poll(both, -1); n > 0 && err == nil {
			break
		}
	}
	from, to := m.old, m.new
	if both[0].Revents == 0 {
		from, to = m.new, m.old
	}
	word, oob := make([]byte, 1<<16), make([]byte, 4096)
	n, more, _, _, err := unix.Recvmsg(from, word, oob, unix.MSG_CMSG_CLOEXEC)
	must(m.t, err)
	messages, err := unix.ParseSocketControlMessage(oob[:more])
	must(m.t, err)
	for i := range messages {
		some, err := unix.ParseUnixRights(&messages[i])
		must(m.t, err)
		rights = append(rights, some...)
	}
	return word[:n], rights, to
}

// pass passes words on.
func (m *middle) pass(words int) {
	for range words {
		word, rights, to := m.take()
		must(m.t, unix.Sendmsg(to, word, unix.UnixRights(rights...), nil, unix.MSG_NOSIGNAL))
		for _, fd := range rights {
			unix.Close(fd)
		}
	}
}

func (m *middle) close() {
	unix.Close(m.old)
	unix.Close(m.new)
}

// TestLargeUpgraded: large messages go on, and one that a program looks at in shared memory stays as it is, through several
// upgrades.
func TestLargeUpgraded(t *testing.T) {
	const length, messages = 100_000, 30
	d := startDaemon(t)
	d.rings = true
	k := d.open()
	must(t, k.Bind(t.Context(), "$.A", kbus.Listener))
	_, err := k.Queue().SetLimit(t.Context(), 2*messages)
	must(t, err)
	send := func(i int) {
		_, err := k.Send(t.Context(), &kbus.Message{Name: "$.A", Data: bytes.Repeat([]byte{byte(i)}, length)})
		must(t, err)
	}
	whole := func(i int, data []byte) {
		if len(data) != length || bytes.Count(data, []byte{byte(i)}) != length {
			t.Errorf("message %d is %d bytes, and not all of them its own", i, len(data))
		}
	}
	for i := range messages {
		send(i)
	}
	must(t, k.InPlace(t.Context(), func(m *kbus.Message) error {
		for i := range 3 {
			must(t, d.upgrade())
			send(messages + i)
			whole(0, m.Data)
		}
		return nil
	}))
	for i := 1; i < messages+3; i++ {
		m, err := k.Receive(t.Context())
		must(t, err)
		whole(i, m.Data)
		if i%10 == 0 {
			must(t, d.upgrade())
		}
	}
	anew := d.open()
	must(t, anew.Bind(t.Context(), "$.A", kbus.Listener))
	send(1)
	m, err := anew.Receive(t.Context())
	must(t, err)
	whole(1, m.Data)
}

// TestTraceUpgraded: who has agreed on trace contexts has them afterwards too, of messages that wait in a queue as of new ones; and
// who has not still has none.
func TestTraceUpgraded(t *testing.T) {
	onBoth(t, func(t *testing.T, rings bool) {
		d := startDaemon(t)
		d.rings = rings
		k, original := d.open(), d.open(kbus.Original())
		for _, each := range []*kbus.Ksock{k, original} {
			must(t, each.Bind(t.Context(), "$.A", kbus.Listener))
		}
		send := func() {
			_, err := k.Send(t.Context(), &kbus.Message{Name: "$.A", Trace: &kbus.Trace{Parent: "parent", State: "state"}})
			must(t, err)
		}
		send()
		must(t, d.upgrade())
		send()
		for range 2 {
			m, err := k.Receive(t.Context())
			must(t, err)
			if m.Trace.Empty() || m.Trace.State != "state" {
				t.Errorf("%v in trace %v", m, m.Trace)
			}
			m, err = original.Receive(t.Context())
			must(t, err)
			if m.Trace != nil || m.Flags != 0 {
				t.Errorf("%v in trace %v", m, m.Trace)
			}
		}
	})
}
