package file_test

import (
	"strings"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/message"
)

// A front end without memory to share passes none: what would have to be read there is a bad address, all else works.
func TestNoMemory(t *testing.T) {
	f := open(t, bus.New(bus.Config{}))
	for _, code := range []uint32{
		file.IoctlBind, file.IoctlUnbind, file.IoctlReplier, file.IoctlMaxMsgs, file.IoctlMsgOnlyOnce, file.IoctlVerbose,
		file.IoctlReportReplierBinds, file.IoctlMaxMsgSize,
	} {
		if _, out, c := f.Ioctl(code, 0, nil, nil); c != message.ErrBadAddress || out != nil {
			t.Errorf("%#x: %v, %x", code, c.Err(), out)
		}
	}
	s := newScript(1)
	s.do(strings.Fields("pointy p $.Fred data=abc"))
	if _, c := f.Write(s.messages["p"]); c != message.OK {
		t.Fatal(c)
	}
	if _, _, c := f.Ioctl(file.IoctlSend, 0, nil, nil); c != message.ErrBadAddress {
		t.Errorf("SEND of a pointy message: %v", c.Err()) // R2.10
	}
	if _, out, c := f.Ioctl(file.IoctlKsockID, 0, nil, nil); c != message.OK || len(out) != 4 {
		t.Errorf("KSOCKID: %v, %x", c.Err(), out)
	}
}

// A Ksock that deals in whole messages only has no File; the stats report shows what it can (R8.5-8.7).
func TestStatsWithoutFiles(t *testing.T) {
	on := bus.New(bus.Config{MaxMessages: 1})
	k, c := on.Open(bus.Owner{Original: true})
	if c != message.OK {
		t.Fatal(c)
	}
	on.Bind(k, "$.A", false)
	h := message.Header{Flags: message.AllOrWait}
	on.Send(k, &h, []byte("$.A"), nil)
	for _, want := range []string{
		"read byte 0 of 0, wrote byte 0 of HDR (not finished), not sending\n",
		"read byte 0 of 0, wrote byte 0 of FINAL (finished), sending\n",
	} {
		report := string(file.AppendStatsReport(nil, 0, on, func(*bus.Ksock) *file.File { return nil }))
		if !strings.Contains(report, want) {
			t.Errorf("%s\nlacks %s", report, want)
		}
		if o := on.Send(k, &h, []byte("$.A"), nil); o.Err != message.ErrPending && !k.Sending() {
			t.Fatal(o.Err)
		}
	}
}

// FuzzIoctl: no number, address or argument makes an ioctl panic, say more than 8 bytes, or say anything on failure.
func FuzzIoctl(f *testing.F) {
	request := []byte{1, 0, 0, 0, 3, 0, 0, 0, 16, 0, 16, 0, 0, 0, 0, 0, '$', '.', 'a'}
	for nr := uint32(0); nr <= 19; nr++ {
		for direction := range uint32(4) {
			f.Add(direction<<30|8<<16|0x6B00|nr, uint64(1<<20), request)
		}
	}
	f.Add(uint32(file.IoctlBind), uint64(1<<64-1), []byte(nil))
	f.Fuzz(func(t *testing.T, code uint32, arg uint64, argument []byte) {
		m := newScript(1).machine
		m.config.MostDevices = 2
		k, _ := m.open(0, "rw")
		k.Write(message.AppendEntire(nil, &message.Header{}, []byte("$.a"), nil))
		m.Put(argument)
		for range 2 {
			_, out, c := k.file.Ioctl(code, arg, m, m)
			if len(out) > 8 || c != message.OK && c != message.ErrPending && out != nil {
				t.Errorf("%v, %x", c.Err(), out)
			}
		}
	})
}
