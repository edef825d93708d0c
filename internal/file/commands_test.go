package file_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/message"

	"golang.org/x/sys/unix"
)

// The commands of a script. A failure reads as its errno, "EBUSY"; a success without anything to tell as "ok". Words of
// the form *N in a name or data stand for N bytes of it: name=*1001 is a name of that length.
//
//	devices N                        start again with N devices
//	open s rw [DEVICE]               -> the Ksock's id
//	entire m NAME [data=..] [flags=..] [to=..] [id=n:s] [reply=n:s] [@OFFSET=WORD]   lay out a
//	                                 message; then words are set in it, by byte offset, rightly or wrongly
//	pointy m ...                     the same, as a header that points at name and data
//	forget                           make everything unreadable that messages and arguments point at
//	bindings, stats                  the two reports
//	write s m [FROM [TO]]            write all or some bytes of message m  -> n
//	raw s HEX                        write these bytes
//	send, next, read N, recv, ...    see below
var globalCommands = map[string]func(*script, []string) string{
	"devices":  func(s *script, args []string) string { *s = *newScript(number(args[0])); return "ok" },
	"open":     (*script).open,
	"entire":   func(s *script, args []string) string { return s.lay(args, false) },
	"pointy":   func(s *script, args []string) string { return s.lay(args, true) },
	"forget":   func(s *script, _ []string) string { s.machine.blocks = nil; return "ok" },
	"bindings": func(s *script, _ []string) string { return "\n" + strings.TrimSuffix(s.machine.Bindings(), "\n") },
	"stats":    func(s *script, _ []string) string { return "\n" + strings.TrimSuffix(s.machine.Stats(), "\n") },
}

func (s *script) open(args []string) string {
	device := 0
	if len(args) > 2 {
		device = number(args[2])
	}
	k, errno := s.machine.open(device, args[1])
	if errno != 0 {
		return result(errno, "")
	}
	s.ksocks[args[0]] = k
	return fmt.Sprint(k.file.Ksock.ID())
}

var ksockCommands = map[string]func(*script, *ksock, []string) string{
	"close": func(_ *script, k *ksock, _ []string) string { k.Close(); return "ok" },
	"write": func(s *script, k *ksock, args []string) string {
		m := s.messages[args[0]]
		from, to := 0, len(m)
		if len(args) > 1 {
			from = number(args[1])
		}
		if len(args) > 2 {
			to = number(args[2])
		}
		n, errno := k.Write(m[from:to])
		return result(errno, "%d", n)
	},
	"raw": func(_ *script, k *ksock, args []string) string {
		b, err := hex.DecodeString(strings.Join(args, ""))
		if err != nil {
			panic(err)
		}
		n, errno := k.Write(b)
		return result(errno, "%d", n)
	},
	"send": func(_ *script, k *ksock, _ []string) string {
		id, errno := k.Send()
		if errno == syscall.EAGAIN {
			return fmt.Sprintf("EAGAIN %v", id)
		}
		return result(errno, "%v", id)
	},
	"next": func(_ *script, k *ksock, _ []string) string {
		ret, length, errno := k.Next()
		return result(errno, "%d %d", ret, length)
	},
	"read": func(_ *script, k *ksock, args []string) string {
		b := make([]byte, number(args[0]))
		n, errno := k.Read(b)
		return result(errno, "%d: %x", n, b[:n])
	},
	"recv": func(_ *script, k *ksock, _ []string) string {
		_, length, _ := k.Next()
		b := make([]byte, length)
		if n, errno := k.Read(b); errno != 0 || n == 0 {
			return result(errno, "none")
		}
		h, name, data, c := message.ParseEntire(b, length)
		m := message.Message{Header: h, Name: string(name), Data: data}
		return result(c.Errno(), "%v", &m)
	},
	"poll": func(_ *script, k *ksock, _ []string) string {
		in, out := k.Poll()
		return fmt.Sprintf("in=%t out=%t", in, out)
	},
	"bind": func(_ *script, k *ksock, args []string) string {
		return result(k.Bind(name(args[0]), uint32(number(args[1]))), "ok")
	},
	"unbind": func(_ *script, k *ksock, args []string) string {
		return result(k.Unbind(name(args[0]), uint32(number(args[1]))), "ok")
	},
	"replier": func(_ *script, k *ksock, args []string) string {
		ret, id, errno := k.Replier(name(args[0]))
		return result(errno, "%d %d", ret, id)
	},
	"lastsent": func(_ *script, k *ksock, _ []string) string {
		id, errno := k.LastSent()
		return result(errno, "%v", id)
	},
	"discard": func(_ *script, k *ksock, _ []string) string { return result(k.Plain("discard"), "ok") },
	"reset":   func(_ *script, k *ksock, _ []string) string { return result(k.Plain("reset"), "ok") },
	// ioctl s CODE [ADDRESS] calls with a raw number; without an address, with 16 readable zero bytes.
	"ioctl": func(s *script, k *ksock, args []string) string {
		at := s.machine.Put(make([]byte, 16))
		if len(args) > 1 {
			at, _ = strconv.ParseUint(args[1], 0, 64)
		}
		ret, out, c := k.file.Ioctl(uint32(number(args[0])), at, s.machine, s.machine)
		return result(c.Errno(), "%d %x", ret, out)
	},
	// request s bind|unbind|replier NAMELEN ADDRESS calls with a request that points anywhere.
	"request": func(s *script, k *ksock, args []string) string {
		code := map[string]uint32{"bind": file.IoctlBind, "unbind": file.IoctlUnbind, "replier": file.IoctlReplier}[args[0]]
		b := binary.NativeEndian.AppendUint32(nil, 0)
		b = binary.NativeEndian.AppendUint32(b, uint32(number(args[1])))
		b = binary.NativeEndian.AppendUint64(b, uint64(number(args[2])))
		ret, errno := k.ioctl(code, b)
		return result(errno, "%d", ret)
	},
}

func init() {
	for _, op := range []string{
		"ksockid", "lenleft", "nummsgs", "unrepliedto", "newdevice",
		"maxmsgs", "msgonlyonce", "verbose", "reportreplierbinds", "maxmsgsize",
	} {
		ksockCommands[op] = func(_ *script, k *ksock, args []string) string {
			in := 0
			if len(args) > 0 {
				in = number(args[0])
			}
			out, errno := k.Value(op, uint32(in))
			return result(errno, "%d", out)
		}
	}
}

// lay lays out a message and keeps it under its name.
func (s *script) lay(args []string, pointy bool) string {
	var h message.Header
	var data []byte
	words := map[int]uint32{}
	for _, arg := range args[2:] {
		key, value, _ := strings.Cut(arg, "=")
		switch {
		case key[0] == '@':
			words[number(key[1:])] = uint32(number(value))
		case key == "data":
			data = text(value, "")
		case key == "flags":
			h.Flags = message.Flags(number(value))
		case key == "to":
			h.To = message.KsockID(uint32(number(value)))
		case key == "id":
			fmt.Sscanf(value, "%d:%d", &h.ID.Network, &h.ID.Serial)
		case key == "reply":
			fmt.Sscanf(value, "%d:%d", &h.InReplyTo.Network, &h.InReplyTo.Serial)
		default:
			panic(arg)
		}
	}
	called := name(args[1])
	m := message.AppendEntire(nil, &h, called, data)
	if pointy {
		m = m[:message.HeaderBytes]
		binary.NativeEndian.PutUint64(m[64:], s.machine.Put(append(called, 0)))
		if len(data) > 0 {
			binary.NativeEndian.PutUint64(m[72:], s.machine.Put(data))
		}
	}
	for offset, word := range words {
		binary.NativeEndian.PutUint32(m[offset:], word)
	}
	s.messages[args[0]] = m
	return "ok"
}

// result is an outcome in words.
func result(errno syscall.Errno, format string, args ...any) string {
	if errno != 0 {
		return unix.ErrnoName(errno)
	}
	return fmt.Sprintf(format, args...)
}

// name is a name as bytes; ” is the empty one, and *N one of N bytes.
func name(word string) []byte {
	if word == "''" {
		return nil
	}
	return text(word, "$.")
}

// text is word, or N bytes if it is *N, starting with prefix.
func text(word, prefix string) []byte {
	if n, ok := strings.CutPrefix(word, "*"); ok {
		if n, err := strconv.Atoi(n); err == nil {
			return []byte(prefix + strings.Repeat("x", n-len(prefix)))
		}
	}
	return []byte(word)
}

func number(word string) int {
	n, err := strconv.ParseInt(word, 0, 64)
	if err != nil {
		panic(err)
	}
	return int(n)
}
