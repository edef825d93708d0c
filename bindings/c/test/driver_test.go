package test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"kbus/internal/file/trace"
	"kbus/message"
)

// driver is a driver process: one command, one line of answer.
type driver struct {
	t       *testing.T
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	stop    func()
	caps    string
	ksocks  int

	pointers bool // pointy messages are to be written as such
}

func startDriver(t *testing.T, stop func(), dir, door string) *driver {
	d := &driver{t: t, stop: stop, command: exec.Command(made(t, "conformance-driver"), door)}
	d.command.Env = append(os.Environ(), "KBUS_DIR="+dir)
	d.command.Stderr = os.Stderr
	out, err := d.command.StdoutPipe()
	if err == nil {
		d.in, err = d.command.StdinPipe()
	}
	if err == nil {
		err = d.command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	d.out = bufio.NewReaderSize(out, 1<<20)
	d.caps = strings.Join(d.ask("caps"), " ")
	return d
}

// ask gives the words of the answer.
func (d *driver) ask(format string, args ...any) []string {
	command := fmt.Sprintf(format, args...)
	if _, err := io.WriteString(d.in, command+"\n"); err != nil {
		d.t.Fatalf("%s: %v", command, err)
	}
	line, err := d.out.ReadString('\n')
	if err != nil {
		d.t.Fatalf("%.200s: the driver has ended: %v", command, err)
	}
	return strings.Fields(line)
}

// number asks for an errno and numbers.
func (d *driver) number(n int, format string, args ...any) (syscall.Errno, [2]uint32) {
	words := d.ask(format, args...)
	var v [3]uint32
	if len(words) != n+1 {
		d.t.Fatalf(format+": the answer is %v", append(args, words)...)
	}
	for i, w := range words {
		if _, err := fmt.Sscan(w, &v[i]); err != nil {
			d.t.Fatalf(format+": the answer is %v", append(args, words)...)
		}
	}
	return syscall.Errno(v[0]), [2]uint32{v[1], v[2]}
}

// bytes asks for an errno, a number and bytes.
func (d *driver) bytes(format string, args ...any) (errno syscall.Errno, n int, p []byte) {
	words := d.ask(format, args...)
	if words[len(words)-1] != "-" {
		var err error
		if p, err = hex.DecodeString(words[len(words)-1]); err != nil {
			d.t.Fatalf("%s: %v", format, err)
		}
	}
	var e int
	fmt.Sscan(words[0], &e)
	if len(words) == 3 {
		fmt.Sscan(words[1], &n)
	}
	return syscall.Errno(e), n, p
}

func (d *driver) has(cap string) bool { return strings.Contains(" "+d.caps+" ", " "+cap+" ") }

func (d *driver) Open(device int, mode string) (trace.Ksock, uint32, syscall.Errno) {
	d.ksocks++
	errno, v := d.number(1, "open %d %d %s", d.ksocks, device, mode)
	k := &driverKsock{d, d.ksocks}
	switch {
	case errno != 0:
		return nil, 0, errno
	case d.pointers:
		return pointing{k}, v[0], 0
	}
	return k, v[0], 0
}

func (d *driver) Bindings() string { _, _, p := d.bytes("bindings"); return string(p) }
func (d *driver) Stats() string    { _, _, p := d.bytes("stats"); return string(p) }

func (d *driver) End() {
	d.ask("end")
	if err := d.command.Wait(); err != nil {
		d.t.Errorf("the driver: %v", err)
	}
	d.stop()
}

func hexOf(b []byte) string {
	if len(b) == 0 {
		return "-"
	}
	return hex.EncodeToString(b)
}

// driverKsock is trace.Ksock and trace.Whole.
type driverKsock struct {
	*driver
	k int
}

func (k *driverKsock) Close() { k.number(0, "close %d", k.k) }

func (k *driverKsock) Bind(name []byte, replier uint32) syscall.Errno {
	errno, _ := k.number(0, "bind %d %s %d", k.k, hexOf(name), replier)
	return errno
}

func (k *driverKsock) Unbind(name []byte, replier uint32) syscall.Errno {
	errno, _ := k.number(0, "unbind %d %s %d", k.k, hexOf(name), replier)
	return errno
}

func (k *driverKsock) Replier(name []byte) (ret int, id uint32, errno syscall.Errno) {
	errno, v := k.number(2, "replier %d %s", k.k, hexOf(name))
	return int(v[0]), v[1], errno
}

func (k *driverKsock) Write(p []byte) (int, syscall.Errno) {
	errno, v := k.number(1, "write %d %s", k.k, hexOf(p))
	return int(v[0]), errno
}

func (k *driverKsock) id(format string, args ...any) (message.ID, syscall.Errno) {
	errno, v := k.number(2, format, args...)
	return message.ID{Network: v[0], Serial: v[1]}, errno
}

func (k *driverKsock) Send() (message.ID, syscall.Errno)     { return k.id("send %d", k.k) }
func (k *driverKsock) LastSent() (message.ID, syscall.Errno) { return k.id("lastsent %d", k.k) }

func (k *driverKsock) Next() (ret int, length uint32, errno syscall.Errno) {
	errno, v := k.number(2, "next %d", k.k)
	return int(v[0]), v[1], errno
}

func (k *driverKsock) Read(p []byte) (int, syscall.Errno) {
	errno, n, b := k.bytes("read %d %d", k.k, len(p))
	return copy(p, b[:n]), errno
}

func (k *driverKsock) Poll() (readable, writable bool) {
	errno, v := k.number(2, "poll %d", k.k)
	if errno != 0 {
		k.t.Errorf("poll of %d: %v: the descriptor does not say what the bus says (%v)", k.k, errno, v)
	}
	return v[0] != 0, v[1] != 0
}

func (k *driverKsock) Value(op string, in uint32) (out uint32, errno syscall.Errno) {
	errno, v := k.number(1, "value %d %s %d", k.k, op, in)
	return v[0], errno
}

func (k *driverKsock) Plain(op string) syscall.Errno {
	errno, _ := k.number(0, "plain %d %s", k.k, op)
	return errno
}

// Unknown is for devices; otherwise there are no numbers that could be wrong.
func (k *driverKsock) Unknown(code uint32) syscall.Errno {
	if !k.has("unknown") {
		return syscall.ENOTTY
	}
	errno, _ := k.number(0, "unknown %d %d", k.k, code)
	return errno
}

func (k *driverKsock) SendMessage(h *message.Header, name, data []byte) (message.ID, syscall.Errno) {
	return k.id("sendmessage %d %s", k.k, hexOf(message.AppendEntire(nil, h, name, data)))
}

func (k *driverKsock) Receive() (h message.Header, name, data []byte, ok bool, errno syscall.Errno) {
	errno, n, p := k.bytes("receive %d", k.k)
	if errno != 0 || n == 0 {
		return h, nil, nil, false, errno
	}
	h, name, data, c := message.ParseEntire(p, uint32(len(p)))
	if c != message.OK {
		k.t.Errorf("what was received is no message: %v", c)
	}
	return h, name, data, true, 0
}

// pointing can have pointy messages: what they point at is in the driver's memory.
type pointing struct{ *driverKsock }

func (p pointing) Place(b []byte) uint64 {
	words := p.ask("place %d %s", p.k, hexOf(b))
	var address uint64
	fmt.Sscan(words[1], &address)
	return address
}
