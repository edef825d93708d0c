package trace

import (
	"encoding/hex"
	"fmt"
	"strings"
	"syscall"
)

// Divergence is an operation whose outcome was not the recorded one.
type Divergence struct {
	File          string
	Operation     string // the line of the trace
	Index         int
	Expected, Got string
}

// String names the file and the operation, and what was expected and got.
func (d Divergence) String() string {
	return fmt.Sprintf("%s: operation %d\n\t%s\n\texpected %s\n\tgot      %s",
		d.File, d.Index, d.Operation, d.Expected, d.Got)
}

// Replay performs all operations of t on a fresh system and gives those that diverge, in order. It goes on after a
// divergence, though what follows is then likely to diverge too.
func (t *Trace) Replay(start Start) []Divergence {
	r := replay{system: start(t.Config), handles: map[int]*handle{}}
	defer r.system.End()
	follower, follows := r.system.(Follower)
	var all []Divergence
	for i := range t.Ops {
		op := &t.Ops[i]
		if follows {
			follower.Follow(op.line)
		}
		if got, want := r.perform(op).canonical(), op.expected(); !got.equal(want) {
			all = append(all, Divergence{t.File, op.line, op.Index, want.String(), got.String()})
		}
	}
	return all
}

// replay is a trace being performed.
type replay struct {
	system  System
	handles map[int]*handle
}

// handle is an open Ksock as the recording program knew it.
type handle struct {
	Ksock
	mode     string
	writing  bool   // bytes were written since the last send
	length   int    // of the message being read
	received []byte // what has been read of it
}

// perform performs one operation and tells what came of it.
func (r *replay) perform(op *Op) outcome {
	switch op.Name {
	case "open":
		k, id, err := r.system.Open(op.Device, op.Mode)
		if err != 0 {
			return failed(err)
		}
		r.handles[op.Handle] = &handle{Ksock: k, mode: op.Mode}
		return outcome{"ksock": id}
	case "procbindings":
		return outcome{"lines": bindingLines(r.system.Bindings())}
	case "procstats":
		return outcome{"text": r.system.Stats()}
	}
	h := r.handles[op.Handle]
	if h == nil {
		return outcome{"replay": "no such handle is open"}
	}
	if op.Name == "close" {
		h.Close()
		delete(r.handles, op.Handle)
		return outcome{}
	}
	return h.perform(op)
}

func (h *handle) perform(op *Op) outcome {
	switch op.Name {
	case "bind":
		return failed(h.Bind(op.Binding, op.Replier))
	case "unbind":
		return failed(h.Unbind(op.Binding, op.Replier))
	case "replier":
		ret, id, err := h.Replier(op.Binding)
		return done(err, outcome{"ret": ret, "id": id})
	case "sendmsg":
		return h.sendMessage(op)
	case "write":
		return failed(h.write(h.encode(op), op.Chunks))
	case "write_raw":
		b, _ := hex.DecodeString(op.Hex)
		h.writing = true
		n, err := h.Write(b)
		return done(err, outcome{"n": n})
	case "send":
		return h.send()
	case "discard", "reset":
		h.writing = h.writing && op.Name == "reset"
		return failed(h.Plain(op.Name))
	case "recv":
		return h.receive()
	case "nextmsg":
		ret, length, err := h.Next()
		h.length, h.received = int(length), nil
		return done(err, outcome{"ret": ret, "len": length})
	case "read":
		return h.read(op.Count)
	case "lenleft", "nummsgs", "unrepliedto", "ksockid", "newdevice",
		"maxmsgs", "msgonlyonce", "verbose", "reportreplierbinds", "maxmsgsize":
		v, err := h.Value(op.Name, op.Value)
		return done(err, outcome{"value": v})
	case "lastsent":
		last, err := h.LastSent()
		return done(err, outcome{"id": id(last)})
	case "poll":
		return h.poll(op.Events)
	case "badioctl":
		return failed(h.Unknown(op.Code))
	}
	return outcome{"replay": "unknown operation"}
}

// done is the outcome of an operation that says something when it succeeds.
func done(err syscall.Errno, o outcome) outcome {
	if err != 0 {
		return failed(err)
	}
	return o
}

func failed(err syscall.Errno) outcome { return outcome{"err": errnoName(err)} }

func (h *handle) poll(events []string) outcome {
	readable, writable := h.Poll()
	ready := []string{}
	for _, e := range events {
		if e == "IN" && readable || e == "OUT" && writable {
			ready = append(ready, e)
		}
	}
	return outcome{"revents": ready}
}

// bindingLines takes the report of R8.2 apart.
func bindingLines(report string) []any {
	lines := []any{}
	for _, line := range strings.Split(strings.TrimSuffix(report, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			lines = append(lines, "#")
			continue
		}
		var device, ksock, pid uint32
		var role, name string
		if n, err := fmt.Sscanf(line, "%d: %d %d %s %s", &device, &ksock, &pid, &role, &name); n != 5 {
			lines = append(lines, fmt.Sprintf("%q: %v", line, err))
			continue
		}
		lines = append(lines, []any{device, ksock, role, name})
	}
	return lines
}
