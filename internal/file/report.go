package file

import (
	"fmt"

	"kbus.example/kbus/internal/bus"
)

// The two text reports of the original's /proc/kbus, one bus at a time and to the last space (part 8): programs parse
// them. A report of several buses is their reports in the order of their numbers (R8.1).

// AppendBindingsReport appends the heading of a bus, which every bus has (R8.2), and a line for each of its bindings,
// newest first.
func AppendBindingsReport(b []byte, device uint32, on *bus.Bus) []byte {
	b = AppendBindingsHeading(b)
	for binding := range on.Bindings() {
		b = AppendBinding(b, device, binding)
	}
	return b
}

// AppendBindingsHeading appends the first line of the report of bindings.
func AppendBindingsHeading(b []byte) []byte {
	return append(b, "# <device> is bound to <Ksock-ID> in <process-PID> as <Replier|Listener> for <message-name>\n"...)
}

// AppendBinding appends the line of a binding.
func AppendBinding(b []byte, device uint32, binding bus.BindingInfo) []byte {
	role := 'L'
	switch {
	case binding.Replier:
		role = 'R'
	case binding.Standby:
		role = 'S' // which the original has not
	}
	return fmt.Appendf(b, "%3d: %8d %8d  %c  %s\n",
		device, binding.Ksock.ID(), binding.Ksock.Owner().PID, role, binding.Name)
}

// AppendStatsReport appends the line of a bus and three lines for each open Ksock, newest first (R8.4-8.7). files says
// which File a Ksock is read and written through; nil when it deals in whole messages only.
func AppendStatsReport(b []byte, device uint32, on *bus.Bus, files func(*bus.Ksock) *File) []byte {
	b = AppendStatsHeading(b, device, on)
	for k := range on.Ksocks() {
		b = AppendKsock(b, k, files(k))
	}
	return b
}

// AppendStatsHeading appends the line of a bus in the report of figures.
func AppendStatsHeading(b []byte, device uint32, on *bus.Bus) []byte {
	info := on.Info()
	tragic := ""
	if info.Tragic {
		tragic = "(gone tragic)"
	}
	return fmt.Appendf(b, "dev %2d: next ksock %d next msg %d unsent unbindings %d%s\n",
		device, info.NextKsock, info.NextSerial, info.SetAside, tragic)
}

// AppendKsock appends the lines of a Ksock.
func AppendKsock(b []byte, k *bus.Ksock, f *File) []byte {
	i := k.Info()
	b = fmt.Appendf(b, "    ksock %d last msg %d:%d queue %d of %d\n",
		i.ID, i.LastSent.Network, i.LastSent.Serial, i.Queued, i.MaxMessages)
	b = f.appendProgress(b, i.Sending)
	return fmt.Appendf(b, "      outstanding requests %d (size %d, max %d), unsent replies %d (max %d)\n",
		i.Outstanding, i.OutstandingSize, i.OutstandingMost, i.Unreplied, i.UnrepliedMost)
}

// appendProgress appends the line about the messages being read and written. A message that waits for room is
// complete: a pointy one stands at the start of its name, which never came, any other at its end (R8.7, F18).
func (f *File) appendProgress(b []byte, sending bool) []byte {
	if f == nil {
		f = &File{}
	}
	wrote, in, finished := uint64(0), headerPart, false
	switch d := f.draft; {
	case sending && f.pointy:
		in, finished = namePart, true
	case sending:
		in, finished = finalPart, true
	case d != nil:
		wrote, in, finished = d.at, d.part, d.complete()
	}
	return fmt.Appendf(b, "      read byte %d of %d, wrote byte %d of %s (%sfinished), %ssending\n",
		f.reading.at, len(f.reading.entire), wrote, in, not(finished), not(sending))
}

func not(yes bool) string {
	if yes {
		return ""
	}
	return "not "
}
