package driver

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"kbus.example/kbus/internal/testing/trace"
	"kbus.example/kbus/message"
)

// Serve is a driver, for a front end that is a trace.System. It is what drivers in other languages can be held against,
// and what the table's own tests spoil to see that it notices.
//
// A command that it does not understand, or that its door cannot do, has an answer too, so it ends only with its input.
func Serve(in io.Reader, out io.Writer, door trace.System, caps []string) error {
	s := server{door, caps, map[string]trace.Ksock{}}
	lines := bufio.NewReaderSize(in, mostAnswerBytes)
	for {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		words := strings.Split(strings.TrimSuffix(string(line), "\n"), " ")
		if _, err := fmt.Fprintln(out, s.answer(words[0], words[1:])); err != nil {
			return err
		}
		if words[0] == "end" {
			return nil
		}
	}
}

type server struct {
	door   trace.System
	caps   []string
	ksocks map[string]trace.Ksock
}

const notUnderstood = "22 what"

// answer performs one command. Commands have from one to three arguments; those left out read as nothing.
func (s *server) answer(command string, args []string) string {
	if len(args) > 3 {
		return notUnderstood
	}
	args = append(slices.Clip(args), "", "", "")
	switch command {
	case "caps":
		return strings.Join(s.caps, " ")
	case "open":
		k, id, err := s.door.Open(int(number(args[1])), args[2])
		if err == 0 {
			s.ksocks[args[0]] = k
		}
		return said(err, id)
	case "encode":
		b := unhex(args[0])
		h, name, data, c := message.ParseEntire(b, uint32(len(b)))
		if c != message.OK {
			return said(c.Errno(), "-")
		}
		return said(0, hexadecimal(Entire(&h, name, data)))
	case "bindings":
		return said(0, hexadecimal([]byte(s.door.Bindings())))
	case "stats":
		return said(0, hexadecimal([]byte(s.door.Stats())))
	case "end":
		for _, k := range s.ksocks {
			k.Close()
		}
		return "0"
	}
	k := s.ksocks[args[0]]
	if k == nil {
		return notUnderstood
	}
	if command == "close" {
		k.Close()
		delete(s.ksocks, args[0])
		return "0"
	}
	if answer := onBytes(k, command, args[1:]); answer != notUnderstood {
		return answer
	}
	return onWhole(k, command, args[1:])
}

// onBytes has the commands of every Ksock.
func onBytes(k trace.Ksock, command string, args []string) string {
	switch command {
	case "bind":
		return said(k.Bind(unhex(args[0]), number(args[1])))
	case "unbind":
		return said(k.Unbind(unhex(args[0]), number(args[1])))
	case "replier":
		ret, id, err := k.Replier(unhex(args[0]))
		return said(err, ret, id)
	case "write":
		n, err := k.Write(unhex(args[0]))
		return said(err, n)
	case "send":
		id, err := k.Send()
		return said(err, id.Network, id.Serial)
	case "next":
		ret, length, err := k.Next()
		return said(err, ret, length)
	case "read":
		b := make([]byte, min(number(args[0]), mostAnswerBytes))
		n, err := k.Read(b)
		return said(err, n, hexadecimal(b[:n]))
	case "lastsent":
		id, err := k.LastSent()
		return said(err, id.Network, id.Serial)
	case "poll":
		readable, writable := k.Poll()
		return said(0, bit(readable), bit(writable))
	case "value":
		out, err := k.Value(args[0], number(args[1]))
		return said(err, out)
	case "plain":
		return said(k.Plain(args[0]))
	case "unknown":
		return said(k.Unknown(number(args[0])))
	}
	return notUnderstood
}

// onWhole has the commands of those that deal in messages or in addresses.
func onWhole(k trace.Ksock, command string, args []string) string {
	w, isWhole := k.(trace.Whole)
	p, isPlacer := k.(trace.Placer)
	switch {
	case command == "put" && isPlacer:
		return said(0, p.Put(unhex(args[0])))
	case command == "putlast" && isPlacer:
		return said(0, p.PutLast(unhex(args[0])))
	case command == "sendmessage" && isWhole:
		b := unhex(args[0])
		h, name, data, c := message.ParseEntire(b, uint32(len(b)))
		if c != message.OK {
			return said(c.Errno(), 0, 0)
		}
		id, err := w.SendMessage(&h, name, data)
		return said(err, id.Network, id.Serial)
	case command == "receive" && isWhole:
		h, name, data, ok, err := w.Receive()
		if err != 0 || !ok {
			return said(err, 0, "-")
		}
		return said(0, 1, hexadecimal(Entire(&h, name, data)))
	case slices.Contains([]string{"put", "putlast", "sendmessage", "receive"}, command):
		return said(syscall.ENOSYS)
	}
	return notUnderstood
}

func said(err syscall.Errno, rest ...any) string {
	return request(append([]any{strconv.Itoa(int(err))}, rest...)...)
}

func number(word string) uint32 {
	n, _ := strconv.ParseUint(word, 10, 32)
	return uint32(n)
}

func unhex(word string) []byte {
	b, _ := hex.DecodeString(strings.Trim(word, "-"))
	return b
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
