package conformance

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/testing/trace"
	"kbus.example/kbus/message"
	"kbus.example/kbus/test/conformance/driver"
)

// What front ends may have beside the operations of recordings.
type (
	counter interface {
		SendCounted(h *message.Header, name, data []byte) (id message.ID, reached, skipped uint32, err syscall.Errno)
	}
	encoder interface {
		Encode(entire []byte) (again []byte, err syscall.Errno)
	}
	killer interface{ Kill() }
	tracer interface {
		SetTrace(parent, state []byte) syscall.Errno
		Trace() (parent, state []byte, err syscall.Errno)
	}
)

// do performs a command and tells its outcome in words. One that does not exist ends the case, which is wrong.
//
//	open K MODE [BUS]        the Ksock's id
//	close K
//	bind, unbind K NAME listener|replier|N
//	replier K NAME           what the call returns, and the id
//	say K MESSAGE            send a message whole: its id                  (spec_test.go has MESSAGE)
//	count K MESSAGE          the same, and how many got it
//	hear K                   receive a message whole: what it says, or "none"
//	wire K                   the same: the bytes of its entire form
//	await K                  hear until there is something, or an error
//	write K MESSAGE          write a message, or what there is of it: the number of bytes
//	send, next, read K N, lenleft, discard, reset, lastsent K
//	unknown K N              an operation of a number that does not exist
//	poll K                   "in", "out", both or "nothing"
//	ksockid, nummsgs, unrepliedto, missed, newdevice K; maxmsgs, maxmsgsize, msgonlyonce, verbose, reportreplierbinds K N
//	trace K PARENT [STATE]   what is sent from now on carries that trace context; "none": it carries none
//	traced K                 that of the message received last
//	encode MESSAGE           decode and encode an entire message: "same" bytes or not, or "refused"
//	bindings                 the report
//	kill                     kill -9 of the daemon
func (s *script) do(words []string) string {
	command, args := words[0], words[1:]
	switch command {
	case "open":
		return s.open(args)
	case "encode":
		return s.encode(args)
	case "bindings":
		return "\n" + s.known(strings.TrimSuffix(s.system.Bindings(), "\n"))
	case "kill":
		s.system.(killer).Kill()
		return ""
	}
	k := s.ksocks[args[0]]
	if k == nil {
		s.t.Fatalf("no Ksock is open as %q", args[0])
	}
	return s.on(k, command, args)
}

// known is the bindings report without the process ids, which are those of whoever runs the case.
func (s *script) known(report string) string {
	lines := strings.Split(report, "\n")
	for i, line := range lines {
		if f := strings.Fields(line); len(f) == 5 && f[0] != "#" {
			lines[i] = strings.Join([]string{f[0], f[1], "PID", f[3], f[4]}, " ")
		}
	}
	return strings.Join(lines, "\n")
}

func (s *script) open(args []string) string {
	bus := 0
	if len(args) > 2 {
		bus = int(s.number(args[2]))
	}
	k, id, errno := s.system.Open(bus, args[1])
	if errno != 0 {
		return outcome(errno, "")
	}
	s.ksocks[args[0]], s.ids[args[0]] = k, id
	return fmt.Sprint(id)
}

func (s *script) encode(args []string) string {
	before := s.messageSpec(args).bytes()
	after, errno := s.system.(encoder).Encode(before)
	switch {
	case errno != 0:
		return "refused" // how is the language's own affair
	case !bytes.Equal(before, after):
		return hex.EncodeToString(after)
	}
	return "same"
}

func (s *script) on(k trace.Ksock, command string, args []string) string {
	switch command {
	case "close":
		k.Close()
		delete(s.ksocks, args[0])
		return ""
	case "bind":
		return outcome(k.Bind([]byte(named(args[1])), s.role(args[2])), "")
	case "unbind":
		return outcome(k.Unbind([]byte(named(args[1])), s.role(args[2])), "")
	case "replier":
		ret, id, errno := k.Replier([]byte(named(args[1])))
		return outcome(errno, "%d %d", ret, id)
	case "say":
		id, errno := say(k, s.messageSpec(args[1:]))
		return sentOutcome(id, errno)
	case "count":
		l := s.messageSpec(args[1:])
		id, reached, skipped, errno := k.(counter).SendCounted(&l.Header, []byte(l.Name), l.Data)
		return outcome(errno, "%v reached %d skipped %d", id, reached, skipped)
	case "hear":
		return s.hear(k)
	case "await":
		said := "none"
		s.await(func() bool { said = s.hear(k); return said != "none" })
		return said
	case "trace":
		parent, state := []byte(args[1]), []byte(strings.Join(args[2:], " "))
		if args[1] == "none" {
			parent = nil
		}
		return outcome(k.(tracer).SetTrace(parent, state), "")
	case "traced":
		parent, state, errno := k.(tracer).Trace()
		if len(parent) == 0 {
			return outcome(errno, "none")
		}
		return outcome(errno, "%s", strings.TrimSpace(string(parent)+" "+string(state)))
	case "wire":
		b, errno := receive(k)
		if len(b) > message.HeaderBytes {
			littleEndian(b[:message.HeaderBytes])
			littleEndian(b[len(b)-4:])
		}
		return outcome(errno, "%x", b)
	}
	return s.onBytes(k, command, args)
}

func (s *script) onBytes(k trace.Ksock, command string, args []string) string {
	switch command {
	case "write":
		n, errno := k.Write(s.messageSpec(args[1:]).bytes())
		return outcome(errno, "%d", n)
	case "send":
		id, errno := k.Send()
		return sentOutcome(id, errno)
	case "next":
		ret, length, errno := k.Next()
		return outcome(errno, "%d %d", ret, length)
	case "read":
		b := make([]byte, s.number(args[1]))
		n, errno := k.Read(b)
		littleEndian(b[:n])
		return outcome(errno, "%x", b[:n])
	case "discard", "reset":
		return outcome(k.Plain(command), "")
	case "unknown":
		return outcome(k.Unknown(s.number(args[1])), "")
	case "lastsent":
		id, errno := k.LastSent()
		return outcome(errno, "%v", id)
	case "poll":
		in, out := k.Poll()
		words := map[[2]bool]string{{true, true}: "in out", {true, false}: "in", {false, true}: "out", {}: "nothing"}
		return words[[2]bool{in, out}]
	case "ksockid", "lenleft", "nummsgs", "unrepliedto", "missed", "newdevice", "maxmsgs", "maxmsgsize", "msgonlyonce", "verbose",
		"reportreplierbinds":
		in := uint32(0)
		if len(args) > 1 {
			in = s.number(args[1])
		}
		out, errno := k.Value(command, in)
		return outcome(errno, "%d", out)
	}
	s.t.Fatalf("there is no command %q", command)
	return ""
}

// littleEndian turns the words of a header into the byte order in which cases show them, on a machine that has another.
func littleEndian(header []byte) {
	for ; len(header) >= 4; header = header[4:] {
		binary.LittleEndian.PutUint32(header, binary.NativeEndian.Uint32(header))
	}
}

// say sends a message whole, or in bytes on a front end that has nothing else.
func say(k trace.Ksock, l *messageSpec) (message.ID, syscall.Errno) {
	if w, ok := k.(trace.Whole); ok {
		return w.SendMessage(&l.Header, []byte(l.Name), l.Data)
	}
	if _, errno := k.Write(l.bytes()); errno != 0 {
		return message.ID{}, errno
	}
	return k.Send()
}

// hear receives a message whole, and says what it says.
func (s *script) hear(k trace.Ksock) string {
	b, errno := receive(k)
	if errno != 0 || b == nil {
		return outcome(errno, "none")
	}
	h, name, data, c := message.ParseEntire(b, uint32(len(b)))
	if c != message.OK {
		return fmt.Sprintf("%v, in %x", c, b)
	}
	return tell(&message.Message{Header: h, Name: string(name), Data: data})
}

// receive takes the next message, nil if there is none, in its entire form.
func receive(k trace.Ksock) ([]byte, syscall.Errno) {
	if w, ok := k.(trace.Whole); ok {
		h, name, data, some, errno := w.Receive()
		if errno != 0 || !some {
			return nil, errno
		}
		return driver.Entire(&h, name, data), 0
	}
	_, length, errno := k.Next()
	if errno != 0 || length == 0 {
		return nil, errno
	}
	b := make([]byte, length)
	n, errno := k.Read(b)
	return b[:n], errno
}

// role is a role by its name, or as the number that it is.
func (s *script) role(word string) uint32 {
	switch word {
	case "listener":
		return 0
	case "replier":
		return 1
	}
	return s.number(word)
}

// outcome is an error's name, or what there is to tell.
func outcome(errno syscall.Errno, format string, args ...any) string {
	if errno != 0 {
		return unix.ErrnoName(errno)
	}
	return fmt.Sprintf(format, args...)
}

func sentOutcome(id message.ID, errno syscall.Errno) string {
	if errno == syscall.EAGAIN {
		return fmt.Sprintf("EAGAIN %v", id)
	}
	return outcome(errno, "%v", id)
}

func isErrno(outcome string) bool {
	return len(outcome) > 1 && outcome[0] == 'E' && strings.ToUpper(outcome) == outcome
}
