package device

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/testing/descriptor"
	"kbus.example/kbus/message"
)

// A Ksock is one open of the device. All copies of the descriptor share it, and it closes with the last of them, at once:
// whoever then asks finds that its bindings are gone (R1.6).

// bound opens a Ksock that is the Replier for a name.
func (d *daemon) bound(name string) descriptor.Descriptor {
	d.t.Helper()
	k := d.open(unix.O_RDWR)
	ok(d.t, k.Bind(name, 1))
	return k
}

// replies reports whether a name has a Replier.
func replies(t *testing.T, k descriptor.Descriptor, name string) bool {
	t.Helper()
	id, errno := k.Replier(name)
	ok(t, errno)
	return id != 0
}

func TestDup(t *testing.T) {
	d := start(t)
	ask, k := d.rw(), d.bound("$.Dup")
	copied, err := unix.Dup(int(k))
	must(t, err)
	k.Close()
	if !replies(t, ask, "$.Dup") {
		t.Error("gone with the first copy")
	}
	unix.Close(copied)
	if replies(t, ask, "$.Dup") {
		t.Error("still there after the last copy")
	}
}

func TestInherited(t *testing.T) {
	d := start(t)
	ask, k := d.rw(), d.bound("$.Fork")
	f := os.NewFile(uintptr(k), "kbus0")
	child := cast(t, "holder", nil, f)
	child.ask("use")
	f.Close()
	if !replies(t, ask, "$.Fork") {
		t.Error("gone although the child has it")
	}
	if errno := child.ask("bind $.Child"); errno != 0 || !replies(t, ask, "$.Child") {
		t.Errorf("the child binds: errno %d", errno)
	}
	grandchild := cast(t, "heir", nil) // which inherits nothing: descriptors close on exec
	grandchild.ask("well")
	child.kill()
	if replies(t, ask, "$.Fork") || replies(t, ask, "$.Child") {
		t.Error("still there after kill -9 of its last holder")
	}
}

func TestPassedOn(t *testing.T) {
	d := start(t)
	ask, k := d.rw(), d.bound("$.Rights")
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	must(t, unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(int(k)), nil, 0))
	k.Close()
	if !replies(t, ask, "$.Rights") {
		t.Error("gone while it is on its way")
	}
	end := os.NewFile(uintptr(pair[1]), "socket")
	taker := cast(t, "holder", nil, end)
	end.Close()
	taker.ask("take")
	unix.Close(pair[0])
	if errno := taker.ask("bind $.Taker"); errno != 0 || !replies(t, ask, "$.Rights") || !replies(t, ask, "$.Taker") {
		t.Errorf("who took it binds: errno %d", errno)
	}
	taker.ask("close")
	if replies(t, ask, "$.Rights") {
		t.Error("still there after the last close")
	}
}

// kill -9 of whoever owes answers: Ignored for what was read, GoneAway for what was not (R5.1).
func TestKilledHolder(t *testing.T) {
	d := start(t)
	for range 50 {
		ask := d.open(unix.O_RDWR)
		victim := cast(t, "holder", nil)
		if errno := victim.ask("open %s", d.path(0)); errno != 0 {
			t.Fatal(unix.Errno(errno))
		}
		victim.ask("bind $.Victim")
		var asked [2]message.ID
		for i := range asked {
			id, errno := ask.Send(message.Header{Flags: message.WantAReply}, "$.Victim", "?")
			ok(t, errno)
			asked[i] = id
		}
		if victim.ask("poll")&unix.POLLIN == 0 || victim.ask("next") <= 0 {
			t.Fatal("the victim has not been asked")
		}
		victim.kill()
		answers := map[message.ID]string{}
		for range asked {
			m, some, errno := ask.Receive()
			ok(t, errno)
			if !some {
				t.Fatal("after the death there is no Status")
			}
			answers[m.InReplyTo] = m.Name
		}
		if answers[asked[0]] != message.NameIgnored || answers[asked[1]] != message.NameGoneAway {
			t.Fatalf("%v", answers)
		}
		ask.Close()
	}
}
