package wire

import (
	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// After the header come the name, zero-terminated and padded to whole words, the data if there is any, padded too, and
// the end magic once more (R9.8).

var zeros [4]byte

func namePadding(n uint32) uint32 { return 4 - n%4 }
func dataPadding(n uint32) uint32 { return -n % 4 }

// AppendMessage appends a whole message. Its name must not be longer than kbus.MaxNameBytes, which no message from a
// bus is.
func AppendMessage(b []byte, m *kbus.Message) []byte {
	h := Header{m.Header, uint32(len(m.Name)), uint32(len(m.Data))}
	b = AppendHeader(b, &h)
	b = append(b, m.Name...)
	b = append(b, zeros[:namePadding(h.NameLen)]...)
	at := len(b)
	b = append(b, m.Data...)
	if isBindEvent(m.Name, m.Data) {
		eventToNetwork(b[at:])
	}
	b = append(b, zeros[:dataPadding(h.DataLen)]...)
	return big.AppendUint32(b, endMagic)
}

// AppendTraced is AppendMessage for an end that takes trace contexts, which no original Limpet does.
func AppendTraced(b []byte, m *kbus.Message) []byte {
	b = AppendMessage(b, m)
	if m.Trace.Empty() {
		return b
	}
	big.PutUint32(b[len(b)-4:], traceMagic)
	return big.AppendUint32(message.AppendTrace(b, m.Trace), endMagic)
}
