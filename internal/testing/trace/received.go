package trace

import (
	"crypto/sha1"
	"encoding/hex"

	"kbus.example/kbus/message"
)

// taken is a message that was read, taken apart.
type taken struct {
	message.Header
	name, data []byte
	wireOK     bool
}

// take reads the entire form. Whatever is wrong with it shows in wireOK.
func take(b []byte) (t taken) {
	if len(b) < headerBytes+4 {
		return t
	}
	u := func(at int) uint32 { return native.Uint32(b[at:]) }
	t.ID = message.ID{Network: u(4), Serial: u(8)}
	t.InReplyTo = message.ID{Network: u(12), Serial: u(16)}
	t.To, t.From = message.KsockID(u(20)), message.KsockID(u(24))
	t.OrigFrom = message.Origin{Network: u(28), Local: u(32)}
	t.FinalTo = message.Origin{Network: u(36), Local: u(40)}
	t.Extra, t.Flags = u(44), message.Flags(u(48))
	nameLen, dataLen := u(52), u(56)
	dataAt := headerBytes + uint64(paddedName(nameLen))
	end := dataAt + uint64(paddedData(dataLen))
	if nameLen > 1000 || end+4 != uint64(len(b)) {
		return t
	}
	t.name = b[headerBytes:][:nameLen]
	t.data = b[dataAt:][:dataLen]
	zeros := u(60) | u(84)
	for _, pad := range [][]byte{b[64:80], b[headerBytes+uint64(nameLen) : dataAt], b[dataAt+uint64(dataLen) : end]} {
		for _, c := range pad {
			zeros |= uint32(c)
		}
	}
	t.wireOK = zeros == 0 && u(0) == startGuard && u(80) == endGuard && u(int(end)) == endGuard
	return t
}

// entireLen is the length of the entire form (R2.6).
func (t *taken) entireLen() uint32 {
	return headerBytes + paddedName(uint32(len(t.name))) + paddedData(uint32(len(t.data))) + 4
}

// outcome is the message as a trace writes it.
func (t *taken) outcome() outcome {
	o := outcome{
		"id": id(t.ID), "in_reply_to": id(t.InReplyTo), "to": t.To, "from": t.From,
		"orig_from": []uint32{t.OrigFrom.Network, t.OrigFrom.Local}, "final_to": []uint32{t.FinalTo.Network, t.FinalTo.Local},
		"extra": t.Extra, "flags": uint32(t.Flags), "name": latin1String(t.name), "wire_ok": t.wireOK,
	}
	data := t.data
	if t.Flags.Has(message.Synthetic) && string(t.name) == "$.KBUS.ReplierBindEvent" && len(data) >= 12 {
		data = recordedEvent(data)
		u := func(at int) uint32 { return native.Uint32(t.data[at:]) }
		if n := u(8); uint64(n) <= uint64(len(data)-12) {
			o["bind_event"] = outcome{
				"is_bind": u(0), "binder": u(4), "name": latin1String(data[12:][:n]), "padded_len": len(data) - 12,
			}
		}
	}
	if len(data) <= 64 {
		o["data"] = outcome{"hex": hex.EncodeToString(data)}
	} else {
		o["data"] = outcome{"len": len(data), "sha1": sum(data)}
	}
	return o
}

func id(i message.ID) []uint32 { return []uint32{i.Network, i.Serial} }

func sum(b []byte) string {
	s := sha1.Sum(b)
	return hex.EncodeToString(s[:])
}
