package trace

import (
	"encoding/hex"
	"syscall"
)

// Sending and receiving, in the steps of the recording program: a sendmsg is a write (in pieces, if the trace says so)
// and a SEND; a recv is a NEXTMSG and one read of exactly that length.

// encode lays out the message of op. A pointy message that a front end without memory is given nevertheless is one that is
// refused for its header: it must have a pointer, and nothing follows it.
func (h *handle) encode(op *Op) []byte {
	return op.Message.encode(func(b []byte, last bool) uint64 {
		switch p, ok := h.Ksock.(Placer); {
		case ok && last:
			return p.PutLast(b)
		case ok:
			return p.Put(b)
		}
		return 8
	}, op.faults)
}

// write writes b in pieces and tells the first error; what is left then is not written.
func (h *handle) write(b []byte, lengths []int) syscall.Errno {
	h.writing = true
	for _, piece := range pieces(b, lengths) {
		if _, err := h.Write(piece); err != 0 {
			return err
		}
	}
	return 0
}

func (h *handle) send() outcome {
	h.writing = false
	sent, err := h.Send()
	o := failed(err)
	if err == 0 || err == syscall.EAGAIN {
		o["id"] = id(sent)
	}
	return o
}

// sendMessage writes and sends, or does both at once on a front end that can; but a message that points at things is
// written as it is wherever it can be.
func (h *handle) sendMessage(op *Op) outcome {
	m := op.Message
	_, placer := h.Ksock.(Placer)
	points := placer && m.Form == "pointy"
	if w, ok := h.Ksock.(Whole); ok && m.wellFormed() && op.Chunks == nil && !h.writing && !points {
		sent, err := w.SendMessage(m.header(), m.Name, m.Data.bytes())
		step := "send" // which of the two steps refused is not known, and need not be
		if op.Out["write"] != nil {
			step = "write"
		}
		o := outcome{step: errnoName(err)}
		if err == 0 || err == syscall.EAGAIN {
			o["id"] = id(sent)
		}
		return o
	}
	if err := h.write(h.encode(op), op.Chunks); err != 0 {
		return outcome{"write": errnoName(err)}
	}
	o := h.send()
	return outcome{"send": o["err"], "id": o["id"]}
}

// receive takes the next message and reads it whole.
func (h *handle) receive() outcome {
	h.length, h.received = 0, nil
	if w, ok := h.Ksock.(Whole); ok && h.mode != "w" {
		head, name, data, some, err := w.Receive()
		if err != 0 || !some {
			return done(err, outcome{"ret": 0, "len": 0})
		}
		t := taken{Header: head, name: name, data: data, wireOK: true}
		return outcome{"ret": 1, "len": t.entireLen(), "msg": t.outcome()}
	}
	ret, length, err := h.Next()
	if err != 0 || length == 0 {
		return done(err, outcome{"ret": ret, "len": length})
	}
	o := outcome{"ret": ret, "len": length}
	b := make([]byte, length)
	n, err := h.Read(b)
	if err != 0 {
		o["read_err"] = errnoName(err)
		return o
	}
	m := take(b[:n])
	o["msg"] = m.outcome()
	return o
}

// read reads part of a message, and shows the message when this was the last part.
func (h *handle) read(count int) outcome {
	b := make([]byte, count)
	n, err := h.Read(b)
	if err != 0 {
		return failed(err)
	}
	b = b[:n]
	o := outcome{"n": n}
	if n <= 256 {
		o["hex"] = hex.EncodeToString(b)
	} else {
		o["sha1"] = sum(b)
	}
	h.received = append(h.received, b...)
	if n > 0 && len(h.received) == h.length {
		m := take(h.received)
		o["msg"] = m.outcome()
	}
	if !asRecorded {
		o = withoutBytes(o)
	}
	return o
}
