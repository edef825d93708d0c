package driver

import (
	"bytes"
	"syscall"

	"kbus.example/kbus/message"
)

// ksock is a Ksock that the driver has opened: trace.Ksock, one command for each operation.
type ksock struct {
	s       *System
	handle  int
	device  int
	id      uint32
	reading bool // a message has been begun to be read in pieces
}

func (k *ksock) ask(read func(*answer), words ...any) syscall.Errno {
	words = append([]any{words[0], k.handle}, words[1:]...)
	return k.s.ask(request(words...), read)
}

// SetTrace has what is sent from now on carry a trace context, or none if parent is empty.
func (k *ksock) SetTrace(parent, state []byte) syscall.Errno {
	return k.ask(nil, "trace", hexadecimal(parent), hexadecimal(state))
}

// Trace is that of the message received last.
func (k *ksock) Trace() (parent, state []byte, err syscall.Errno) {
	err = k.ask(func(a *answer) { parent, state = a.bytes(), a.bytes() }, "traced")
	return parent, state, err
}

// Close returns when the daemon has closed too, however the language's own close is.
func (k *ksock) Close() {
	delete(k.s.open, k)
	k.ask(nil, "close")
	k.s.host.Closed(k.device, k.id)
}

func (k *ksock) Bind(name []byte, replier uint32) syscall.Errno {
	return k.ask(nil, "bind", hexadecimal(name), replier)
}

func (k *ksock) Unbind(name []byte, replier uint32) syscall.Errno {
	return k.ask(nil, "unbind", hexadecimal(name), replier)
}

func (k *ksock) Replier(name []byte) (ret int, id uint32, err syscall.Errno) {
	err = k.ask(func(a *answer) { ret, id = int(a.word()), a.word() }, "replier", hexadecimal(name))
	return ret, id, err
}

func (k *ksock) Write(p []byte) (n int, err syscall.Errno) {
	err = k.ask(func(a *answer) { n = int(a.word()) }, "write", hexadecimal(p))
	return n, err
}

func (k *ksock) Send() (message.ID, syscall.Errno) {
	sent, _, _, err := k.sent("send")
	return sent, err
}

// sent reads the answer to a command that sends. Doors without results answer with the id only.
func (k *ksock) sent(words ...any) (id message.ID, reached, skipped uint32, err syscall.Errno) {
	err = k.ask(func(a *answer) {
		id = message.ID{Network: a.word(), Serial: a.word()}
		if k.s.Has("results") {
			reached, skipped = a.word(), a.word()
		}
	}, words...)
	return id, reached, skipped, err
}

func (k *ksock) Next() (ret int, length uint32, err syscall.Errno) {
	err = k.ask(func(a *answer) { ret, length = int(a.word()), a.word() }, "next")
	k.reading = length > 0
	return ret, length, err
}

func (k *ksock) Read(p []byte) (n int, err syscall.Errno) {
	err = k.ask(func(a *answer) {
		said := a.word()
		got := a.bytes()
		n = copy(p, got)
		a.bad = a.bad || int(said) != len(got) || len(got) > len(p)
	}, "read", len(p))
	return n, err
}

func (k *ksock) LastSent() (id message.ID, err syscall.Errno) {
	err = k.ask(func(a *answer) { id = message.ID{Network: a.word(), Serial: a.word()} }, "lastsent")
	return id, err
}

// Poll of a bus that is lost is ready for both: what is tried next tells of the loss.
func (k *ksock) Poll() (readable, writable bool) {
	if k.ask(func(a *answer) { readable, writable = a.yes(), a.yes() }, "poll") != 0 {
		return true, true
	}
	return readable, writable
}

func (k *ksock) Value(op string, in uint32) (out uint32, err syscall.Errno) {
	err = k.ask(func(a *answer) { out = a.word() }, "value", op, in)
	return out, err
}

func (k *ksock) Plain(op string) syscall.Errno { return k.ask(nil, "plain", op) }

func (k *ksock) Unknown(code uint32) syscall.Errno { return k.ask(nil, "unknown", code) }

// whole is a Ksock whose language deals in messages: trace.Whole.
type whole struct{ *ksock }

func (k whole) SendMessage(h *message.Header, name, data []byte) (message.ID, syscall.Errno) {
	id, _, _, err := k.SendCounted(h, name, data)
	return id, err
}

// SendCounted tells how many the message reached, and how many it missed because their queue was full.
//
// A message that is none is written in bytes where that is possible: a language need not be able to make one, and what
// the bus says of it would be hidden behind what the language says.
func (k whole) SendCounted(h *message.Header, name, data []byte) (message.ID, uint32, uint32, syscall.Errno) {
	entire := Entire(h, name, data)
	if _, _, _, c := message.ParseEntire(entire, uint32(len(entire))); c != message.OK && k.s.Has("bytes") {
		if _, err := k.Write(entire); err != 0 {
			return message.ID{}, 0, 0, err
		}
		return k.sent("send")
	}
	return k.sent("sendmessage", hexadecimal(entire))
}

// Receive asks for a message, or reads it in pieces if one is being read that way: the language may keep the two apart.
func (k whole) Receive() (h message.Header, name, data []byte, ok bool, err syscall.Errno) {
	var entire []byte
	if k.reading {
		_, length, errno := k.Next()
		if errno != 0 || length == 0 {
			return h, nil, nil, false, errno
		}
		entire = make([]byte, length)
		if _, errno = k.Read(entire); errno != 0 {
			return h, nil, nil, false, errno
		}
		k.reading, ok = false, true
	} else {
		err = k.ask(func(a *answer) { ok, entire = a.yes(), a.bytes() }, "receive")
	}
	if err != 0 || !ok {
		return h, nil, nil, false, err
	}
	h, name, data, c := message.ParseEntire(entire, uint32(len(entire)))
	if c == message.OK && !bytes.Equal(Entire(&h, name, data), entire) {
		return h, nil, nil, false, syscall.EILSEQ // padding that is not zero, or bytes too many
	}
	return h, name, data, true, c.Errno()
}

// placer is trace.Placer.
type placer struct{ k *ksock }

func (p placer) Put(b []byte) (addr uint64) {
	p.k.ask(func(a *answer) { addr = a.number() }, "put", hexadecimal(b))
	return addr
}

func (p placer) PutLast(b []byte) (addr uint64) {
	p.k.ask(func(a *answer) { addr = a.number() }, "putlast", hexadecimal(b))
	return addr
}

type pointing struct {
	*ksock
	placer
}

type wholePlacer struct {
	whole
	placer
}
