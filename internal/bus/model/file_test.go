package model_test

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"

	"kbus.example/kbus/internal/bus/model"
	"kbus.example/kbus/message"
)

// Writing and reading a file in bytes (R3.40-R3.66), only as far as recordings need it.

// written is what has been written of a message so far. The name and data of the pointy form stay with the program
// until SEND (R2.10).
type written struct {
	begun        bool // R3.58
	bytes        []byte
	checked      bool // the header was good when it was complete (R2.12)
	header       message.RawHeader
	pointedName  []byte
	pointedData  []byte
	nameEnd, end int // of the entire form
}

// write appends bytes to the message being written. Any error throws all of it away (R3.62).
func (f *file) write(b []byte) message.Condition {
	if f.mode == "r" {
		return message.ErrWrongMode
	}
	if f.k.Sending() {
		return message.ErrStillSending // F8
	}
	f.written.begun = true
	f.written.bytes = append(f.written.bytes, b...)
	maxBytes, _ := f.bus.SetMaxMessageBytes(0)
	c := f.written.check(maxBytes)
	if c != message.OK {
		f.written = written{}
	}
	return c
}

// check tests the parts that are complete, in their order (R3.59, R3.60).
func (w *written) check(maxBytes uint32) message.Condition {
	n := len(w.bytes)
	if n >= headerBytes && !w.checked {
		w.header = message.ParseHeader(w.bytes)
		if c := w.header.Check(maxBytes); c != message.OK {
			return c
		}
		w.checked = true
		w.nameEnd, w.end = headerBytes, headerBytes
		if w.header.NamePtr == 0 {
			w.nameEnd += int(w.header.NameLen)
			w.end = int(message.EntireLen(w.header.NameLen, w.header.DataLen))
		}
	}
	entire := w.nameEnd > headerBytes
	switch {
	case !w.checked:
		return message.OK
	case entire && n >= w.nameEnd && !model.ValidName(string(w.bytes[headerBytes:w.nameEnd]), true):
		return message.ErrBadName
	case entire && n >= w.end && le.Uint32(w.bytes[w.end-4:]) != endGuard:
		return message.ErrMalformed
	case n > w.end:
		return message.ErrAfterEnd
	}
	return message.OK
}

// writeMessage writes a whole message, in chunks if the recording says so.
func (f *file) writeMessage(st *step) message.Condition {
	b, name, data := st.Msg.bytes()
	for _, n := range append(st.Chunks, len(b)) {
		n = min(n, len(b))
		if c := f.write(b[:n]); c != message.OK {
			return c
		}
		b = b[n:]
		if len(b) == 0 {
			break
		}
	}
	f.written.pointedName, f.written.pointedData = name, data
	return message.OK
}

// send is SEND (R3.65).
func (f *file) send() outcome {
	w := f.written
	f.written = written{}
	if f.k.Sending() {
		return sendOutcome(f.bus.Resend(f.k))
	}
	name, data := w.pointedName, w.pointedData
	switch {
	case !w.begun:
		return outcome{"err": "ENOMSG"}
	case !w.checked || len(w.bytes) < w.end:
		return outcome{"err": "EINVAL"}
	case w.nameEnd > headerBytes:
		name = w.bytes[headerBytes:w.nameEnd]
		at := headerBytes + int(message.PaddedName(w.header.NameLen))
		data = w.bytes[at : at+int(w.header.DataLen)]
	case !model.ValidName(string(name), true):
		return outcome{"err": "EBADMSG"}
	}
	return sendOutcome(f.bus.Send(f.k, message.Message{Header: w.header.Header, Name: string(name), Data: data}))
}

func sendOutcome(o model.Outcome) outcome {
	if o.Err != message.OK && o.Err != message.ErrPending {
		return outcome{"err": errno(o.Err)}
	}
	return outcome{"err": errno(o.Err), "id": []uint32{o.ID.Network, o.ID.Serial}}
}

// next is NEXTMSG (R3.35).
func (f *file) next() outcome {
	f.unread = nil
	m, ok := f.bus.Next(f.k)
	if ok {
		f.reading = m
		f.unread = message.AppendEntire(nil, &m.Header, []byte(m.Name), m.Data)
	}
	return outcome{"ret": min(len(f.unread), 1), "len": len(f.unread)}
}

// receive is NEXTMSG and one read of the whole message.
func (f *file) receive() outcome {
	out := f.next()
	switch {
	case len(f.unread) > 0 && f.mode == "w":
		out["read_err"] = "EBADF"
	case len(f.unread) > 0:
		f.unread = nil
		out["msg"] = received(f.reading)
	}
	return out
}

// read is one read of n bytes (R3.40-R3.42).
func (f *file) read(n int) outcome {
	if f.mode == "w" {
		return outcome{"err": "EBADF"}
	}
	b := f.unread[:min(n, len(f.unread))]
	f.unread = f.unread[len(b):]
	out := outcome{"n": len(b)}
	if len(b) <= 256 {
		out["hex"] = hex.EncodeToString(b)
	} else {
		out["sha1"] = fmt.Sprintf("%x", sha1.Sum(b))
	}
	if len(b) > 0 && len(f.unread) == 0 {
		out["msg"] = received(f.reading)
	}
	return out
}
