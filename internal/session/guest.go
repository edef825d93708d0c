package session

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
)

// Guest is the Tag of a Ksock that no session has: other code, such as a device, drives it and shares the bus with the
// sessions. After each operation for a guest the Engine must Pump.
type Guest interface {
	// File is the byte-wise view of the Ksock.
	File() *file.File
	// Wake says that something has come to be read, or that a message which waits for room should be tried again: for a
	// guest the Engine does not try (Q5). Nothing of the Engine or the bus may be called in it.
	Wake()
}

// AppendBindingsReport appends the report of R8.2.
func (e *Engine) AppendBindingsReport(b []byte) []byte {
	return file.AppendBindingsReport(b, e.number, e.bus)
}

// AppendStatsReport appends the report of R8.4.
func (e *Engine) AppendStatsReport(b []byte) []byte {
	return file.AppendStatsReport(b, e.number, e.bus, fileOf)
}

// fileOf is the byte-wise view of a Ksock; nil when it has none.
func fileOf(k *bus.Ksock) *file.File {
	switch of := k.Tag.(type) {
	case *Session:
		return of.file
	case Guest:
		return of.File()
	}
	return nil
}
