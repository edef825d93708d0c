package model_test

import (
	"encoding/hex"
	"syscall"

	"kbus.example/kbus/internal/bus/model"
	"kbus.example/kbus/message"
)

// A tiny system of devices around the model, just enough to replay recordings: files that are written and read in
// bytes.

type system struct {
	cfg   step
	buses []*model.Bus
	files map[int]*file
}

// file is one open file: a Ksock, what has been written, and what is being read.
type file struct {
	bus     *model.Bus
	k       *model.Ksock
	mode    string
	written written
	reading message.Message
	unread  []byte // what is left of it
}

type outcome map[string]any

func newSystem(header *step) *system {
	s := &system{cfg: *header, files: map[int]*file{}}
	for range header.Cfg.Devices {
		s.addDevice()
	}
	return s
}

func (s *system) addDevice() {
	c := s.cfg.Cfg
	s.buses = append(s.buses, model.New(model.Config{
		MaxMessages: c.Max, MaxMessageBytes: c.MaxBytes, AbsMaxMessageBytes: c.AbsBytes, MaxSetAside: c.MaxAside,
	}))
}

var errnoNames = map[syscall.Errno]string{
	syscall.ENOENT: "ENOENT", syscall.EBADF: "EBADF", syscall.EAGAIN: "EAGAIN", syscall.EBUSY: "EBUSY",
	syscall.EINVAL: "EINVAL", syscall.ENOTTY: "ENOTTY", syscall.EPIPE: "EPIPE", syscall.ENAMETOOLONG: "ENAMETOOLONG",
	syscall.ENOLCK: "ENOLCK", syscall.ENOMSG: "ENOMSG", syscall.EBADMSG: "EBADMSG", syscall.EMSGSIZE: "EMSGSIZE",
	syscall.EADDRINUSE: "EADDRINUSE", syscall.EADDRNOTAVAIL: "EADDRNOTAVAIL",
	syscall.ECONNREFUSED: "ECONNREFUSED", syscall.EALREADY: "EALREADY",
}

// errno is how recordings show a condition: nil, or the name of the error number.
func errno(c message.Condition) any {
	if c == message.OK {
		return nil
	}
	return errnoNames[c.Errno()]
}

// valueOr is the outcome of what gives a number unless it fails.
func valueOr(v uint32, c message.Condition) outcome {
	if c != message.OK {
		return outcome{"err": errno(c)}
	}
	return outcome{"value": v}
}

func (s *system) do(st *step) outcome {
	f := s.files[st.K]
	name := latin1(st.Name)
	switch st.Op {
	case "open":
		if st.Dev < 0 || st.Dev >= len(s.buses) {
			return outcome{"err": "ENOENT"}
		}
		f = &file{bus: s.buses[st.Dev], k: s.buses[st.Dev].Open(0, true), mode: st.Mode}
		s.files[st.K] = f
		return outcome{"ksock": f.k.ID()}
	case "newdevice":
		if len(s.buses) == s.cfg.Cfg.MaxDevices {
			return outcome{"err": "EINVAL"}
		}
		s.addDevice()
		return outcome{"value": len(s.buses) - 1}
	case "procbindings":
		return s.bindings()
	case "close":
		f.bus.Close(f.k)
	case "bind":
		return outcome{"err": errno(f.bus.Bind(f.k, name, st.Replier != 0))} // F4
	case "unbind":
		return outcome{"err": errno(f.bus.Unbind(f.k, name, st.Replier != 0))}
	case "replier":
		if len(name) == 0 || len(name) > 1000 {
			return outcome{"err": "ENAMETOOLONG"} // R3.33
		}
		id := f.bus.Replier(name)
		return outcome{"id": id, "ret": min(id, 1)}
	case "sendmsg":
		if c := f.writeMessage(st); c != message.OK {
			return outcome{"write": errno(c)}
		}
		out := f.send()
		return outcome{"send": out["err"], "id": out["id"]}
	case "write":
		return outcome{"err": errno(f.writeMessage(st))}
	case "write_raw":
		b, _ := hex.DecodeString(st.Hex)
		if c := f.write(b); c != message.OK {
			return outcome{"err": errno(c)}
		}
		return outcome{"n": len(b)}
	case "send":
		return f.send()
	case "discard":
		f.written = written{}
		f.bus.Discard(f.k)
	case "recv":
		return f.receive()
	case "nextmsg":
		return f.next()
	case "read":
		return f.read(st.N)
	case "lenleft":
		return outcome{"value": len(f.unread)}
	case "nummsgs":
		return outcome{"value": f.bus.NumMessages(f.k)}
	case "unrepliedto":
		return outcome{"value": f.bus.NumUnreplied(f.k)}
	case "ksockid":
		return outcome{"value": f.k.ID()}
	case "maxmsgs":
		return outcome{"value": f.bus.SetMaxMessages(f.k, st.V)}
	case "msgonlyonce":
		return valueOr(f.bus.OnlyOnce(f.k, st.V))
	case "verbose":
		return valueOr(f.bus.Verbose(st.V))
	case "reportreplierbinds":
		return valueOr(f.bus.ReportReplierBinds(f.k, st.V))
	case "maxmsgsize":
		return valueOr(f.bus.SetMaxMessageBytes(st.V))
	case "lastsent":
		id := f.bus.LastSent(f.k)
		return outcome{"id": []uint32{id.Network, id.Serial}}
	case "poll":
		return f.poll(st.Events)
	case "badioctl":
		return outcome{"err": "ENOTTY"}
	case "procstats", "reset":
	default:
		return outcome{"err": "no such operation in this test"}
	}
	return outcome{}
}

func (s *system) bindings() outcome {
	var lines []any
	for n, b := range s.buses {
		lines = append(lines, "#")
		for _, x := range b.Bindings() {
			kind := "L"
			if x.Replier {
				kind = "R"
			}
			lines = append(lines, []any{n, x.Ksock, kind, x.Name})
		}
	}
	return outcome{"lines": lines}
}

// poll answers for the events asked for. A file that is not open for writing has no pending message to drive (R3.91).
func (f *file) poll(events []string) outcome {
	revents := []string{}
	readable, sending := f.bus.Poll(f.k)
	for _, e := range events {
		if e == "IN" && readable || e == "OUT" && f.mode != "r" && !sending {
			revents = append(revents, e)
		}
	}
	return outcome{"revents": revents}
}
