package model_test

import (
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"kbus.example/kbus/message"
)

// Messages as bytes, as recordings write and read them: the layout of R2.1 and R2.5, spelt out.

// sent is a message as a recording says that it was written, malformations included.
type sent struct {
	Form        string
	Name        string
	Flags       uint32
	Data        struct{ G, Len int }
	ID          [2]uint32
	InReplyTo   [2]uint32 `json:"in_reply_to"`
	To, From    uint32
	OrigFrom    [2]uint32 `json:"orig_from"`
	FinalTo     [2]uint32 `json:"final_to"`
	Extra       uint32
	StartGuard  *uint32 `json:"start_guard"`
	EndGuard    *uint32 `json:"end_guard"`
	FinalGuard  *uint32 `json:"final_guard"`
	NameLen     *uint32 `json:"name_len"`
	DataLen     *uint32 `json:"data_len"`
	ForceData   int     `json:"force_data_ptr"`
	WithoutData int     `json:"drop_data_ptr"`
}

const (
	startGuard  = 0x7375624B
	endGuard    = 0x4B627573
	headerBytes = 88
	pointer     = 0x1000 // stands for any address
)

var le = binary.LittleEndian

func orElse(v *uint32, otherwise int) uint32 {
	if v != nil {
		return *v
	}
	return uint32(otherwise)
}

// bytes is what the message is written as; name and data are what pointers in it point to.
func (m *sent) bytes() (b, name, data []byte) {
	name = []byte(latin1(m.Name))
	for i := range m.Data.Len {
		data = append(data, byte(m.Data.G+7*i))
	}
	for _, v := range []uint32{
		orElse(m.StartGuard, startGuard), m.ID[0], m.ID[1], m.InReplyTo[0], m.InReplyTo[1], m.To, m.From,
		m.OrigFrom[0], m.OrigFrom[1], m.FinalTo[0], m.FinalTo[1], m.Extra, m.Flags,
		orElse(m.NameLen, len(name)), orElse(m.DataLen, len(data)), 0,
	} {
		b = le.AppendUint32(b, v)
	}
	entire := m.Form == "entire"
	var namePtr, dataPtr uint64
	if !entire {
		namePtr = pointer
	}
	if m.ForceData != 0 || !entire && len(data) > 0 && m.WithoutData == 0 {
		dataPtr = pointer
	}
	b = le.AppendUint64(le.AppendUint64(b, namePtr), dataPtr)
	b = le.AppendUint32(le.AppendUint32(b, orElse(m.EndGuard, endGuard)), 0)
	if entire {
		b = append(b, name...)
		b = append(b, make([]byte, 4-len(name)%4)...)
		b = append(b, data...)
		b = append(b, make([]byte, (4-len(data)%4)%4)...)
		b = le.AppendUint32(b, orElse(m.FinalGuard, endGuard))
	}
	return b, name, data
}

// received is a message as recordings show it when it has been read.
func received(m message.Message) outcome {
	pair := func(a, b uint32) []uint32 { return []uint32{a, b} }
	out := outcome{
		"id": pair(m.ID.Network, m.ID.Serial), "in_reply_to": pair(m.InReplyTo.Network, m.InReplyTo.Serial),
		"to": m.To, "from": m.From,
		"orig_from": pair(m.OrigFrom.Network, m.OrigFrom.Local), "final_to": pair(m.FinalTo.Network, m.FinalTo.Local),
		"extra": m.Extra, "flags": m.Flags, "name": m.Name, "wire_ok": true,
	}
	out["data"] = outcome{"hex": hex.EncodeToString(m.Data)}
	if len(m.Data) > 64 {
		out["data"] = outcome{"len": len(m.Data), "sha1": fmt.Sprintf("%x", sha1.Sum(m.Data))}
	}
	if m.Name == message.NameReplierBindEvent && m.Flags.Has(message.Synthetic) {
		n := le.Uint32(m.Data[8:])
		out["bind_event"] = outcome{
			"is_bind": le.Uint32(m.Data), "binder": le.Uint32(m.Data[4:]),
			"name": string(m.Data[12 : 12+n]), "padded_len": len(m.Data) - 12,
		}
	}
	return out
}
