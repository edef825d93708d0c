package device

import (
	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/fuse"
)

// A report is a text that is made when a program begins to read it, and stays as it is until it is read from the
// beginning again. It has no Ksock, so looking changes nothing.
type report struct {
	device  *Device
	visitor Visitor
	isStats bool // else it is of bindings
	text    []byte
	made    bool
}

func (r *report) read(offset uint64, p []byte) (int, unix.Errno) {
	if offset == 0 || !r.made {
		if !r.make() {
			return 0, unix.ENOMEM
		}
	}
	return copy(p, r.text[min(offset, uint64(len(r.text))):]), 0
}

func (r *report) make() bool {
	r.drop()
	text := r.append()
	if !r.visitor.Buffer(int64(len(text))) {
		return false
	}
	r.text, r.made = text, true
	return true
}

func (r *report) append() []byte {
	if r.isStats {
		return r.device.owner.AppendStatsReport(nil)
	}
	return r.device.owner.AppendBindingsReport(nil)
}

func (r *report) drop() {
	r.visitor.Buffer(-int64(len(r.text)))
	r.text, r.made = nil, false
}

func (r *report) write([]byte) (int, unix.Errno)    { return 0, unix.EBADF }
func (r *report) ioctl(*fuse.Ioctl) (int32, []byte) { return -int32(unix.ENOTTY), nil }
func (r *report) poll(uint64, bool) (ready uint32)  { return readable }
func (r *report) release()                          { r.drop(); r.visitor.Leave() }
