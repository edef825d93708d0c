package conformance

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"kbus/internal/file/trace"
	"kbus/message"
)

// The Python package is driven through a process: one command per line, one line of answer. It is held against the same
// recordings as every other way to a bus: to every third of them, since each needs a process of its own, and to all
// that KBUS_TRACES names.

func TestPythonTraces(t *testing.T) {
	said, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Skip("there is no python3 here:", err)
	}
	python := strings.TrimSpace(string(said)) // itself, and not what may stand before it in the PATH
	files, err := filepath.Glob(filepath.Join(recordings(), "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	every := 3
	if os.Getenv("KBUS_TRACES") != "" {
		every = 1
	}
	var traces, operations atomic.Int64
	t.Run("all", func(t *testing.T) {
		for i, file := range files {
			if i%every != 0 {
				continue
			}
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				recorded, err := trace.Load(file)
				if err != nil {
					t.Fatal(err)
				}
				foretold, _ := foretell(recorded.WithoutPointers())
				traces.Add(1)
				operations.Add(int64(len(foretold.Ops)))
				start := func(c trace.Config) trace.System { return startPython(t, c, python) }
				if diverged := foretold.Replay(start); len(diverged) > 0 {
					t.Errorf("%d divergences; the first: %v", len(diverged), diverged[0])
				}
			})
		}
	})
	fmt.Printf("python, socket: traces %d operations %d\n", traces.Load(), operations.Load())
}

// python is a system of buses as a process reaches it that speaks the driver's words.
type python struct {
	*daemon
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	handles int
}

func startPython(t *testing.T, c trace.Config, program string) *python {
	p := &python{daemon: startDaemon(t, c), process: exec.Command(program, "-S", "-m", "kbus.conformance", "socket")}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	p.process.Env = append(os.Environ(), "KBUS_DIR="+p.Dir(), "PYTHONDONTWRITEBYTECODE=1",
		"PYTHONPATH="+filepath.Join(here, "..", "..", "bindings", "python"))
	p.process.Stderr = os.Stderr
	if p.in, err = p.process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.process.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// ask gives the error of a command, and what else its answer says is put where values point.
func (p *python) ask(command string, values ...any) syscall.Errno {
	if _, err := io.WriteString(p.in, command+"\n"); err != nil {
		p.t.Fatalf("%s: %v", command, err)
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("%s: %v", command, err)
	}
	var errno int
	values = append([]any{&errno}, values...)
	if n, err := fmt.Sscan(line, values...); err != nil || n != len(values) {
		p.t.Fatalf("%s: answered %q: %v", command, line, err)
	}
	return syscall.Errno(errno)
}

func (p *python) Open(device int, mode string) (trace.Ksock, uint32, syscall.Errno) {
	k := &pythonKsock{p, p.handles}
	p.handles++
	var id uint32
	errno := p.ask(fmt.Sprintf("open %d %d %s", k.handle, device, mode), &id)
	return k, id, errno
}

func (p *python) Bindings() string { return p.text("bindings") }

func (p *python) Stats() string { return p.text("stats") }

func (p *python) text(command string) string {
	var text hexadecimal
	if errno := p.ask(command, &text); errno != 0 {
		p.t.Fatalf("%s: %v", command, errno)
	}
	return string(text)
}

func (p *python) End() {
	p.ask("end")
	p.in.Close()
	if err := p.process.Wait(); err != nil {
		p.t.Error(err)
	}
	p.stop()
}

// hexadecimal is bytes as the driver writes them.
type hexadecimal []byte

func (h *hexadecimal) Scan(state fmt.ScanState, _ rune) error {
	word, err := state.Token(true, nil)
	if err != nil || string(word) == "-" {
		return err
	}
	*h, err = hex.DecodeString(string(word))
	return err
}

func (h hexadecimal) String() string {
	if len(h) == 0 {
		return "-"
	}
	return hex.EncodeToString(h)
}

type pythonKsock struct {
	*python
	handle int
}

func (k *pythonKsock) do(format string, args ...any) string {
	verb, rest, _ := strings.Cut(fmt.Sprintf(format, args...), " ")
	return strings.TrimSpace(fmt.Sprintf("%s %d %s", verb, k.handle, rest))
}

func (k *pythonKsock) Close() { k.ask(k.do("close")) }

func (k *pythonKsock) Bind(name []byte, replier uint32) syscall.Errno {
	return k.ask(k.do("bind %v %d", hexadecimal(name), replier))
}

func (k *pythonKsock) Unbind(name []byte, replier uint32) syscall.Errno {
	return k.ask(k.do("unbind %v %d", hexadecimal(name), replier))
}

func (k *pythonKsock) Replier(name []byte) (ret int, id uint32, errno syscall.Errno) {
	errno = k.ask(k.do("replier %v", hexadecimal(name)), &ret, &id)
	return ret, id, errno
}

func (k *pythonKsock) Write(p []byte) (n int, errno syscall.Errno) {
	errno = k.ask(k.do("write %v", hexadecimal(p)), &n)
	return n, errno
}

func (k *pythonKsock) Send() (id message.ID, errno syscall.Errno) {
	errno = k.ask(k.do("send"), &id.Network, &id.Serial)
	return id, errno
}

func (k *pythonKsock) Next() (ret int, length uint32, errno syscall.Errno) {
	errno = k.ask(k.do("next"), &ret, &length)
	return ret, length, errno
}

func (k *pythonKsock) Read(p []byte) (n int, errno syscall.Errno) {
	var b hexadecimal
	errno = k.ask(k.do("read %d", len(p)), &n, &b)
	return copy(p, b), errno
}

func (k *pythonKsock) LastSent() (id message.ID, errno syscall.Errno) {
	errno = k.ask(k.do("lastsent"), &id.Network, &id.Serial)
	return id, errno
}

func (k *pythonKsock) Poll() (readable, writable bool) {
	var r, w int
	k.ask(k.do("poll"), &r, &w)
	return r != 0, w != 0
}

func (k *pythonKsock) Value(op string, in uint32) (out uint32, errno syscall.Errno) {
	errno = k.ask(k.do("value %s %d", op, in), &out)
	return out, errno
}

func (k *pythonKsock) Plain(op string) syscall.Errno { return k.ask(k.do("plain %s", op)) }

func (k *pythonKsock) Unknown(code uint32) syscall.Errno { return k.ask(k.do("unknown %d", code)) }

// SendMessage and Receive are trace.Whole.
func (k *pythonKsock) SendMessage(h *message.Header, name, data []byte) (id message.ID, errno syscall.Errno) {
	errno = k.ask(k.do("sendmessage %v", hexadecimal(message.AppendEntire(nil, h, name, data))), &id.Network, &id.Serial)
	return id, errno
}

func (k *pythonKsock) Receive() (h message.Header, name, data []byte, ok bool, errno syscall.Errno) {
	var some int
	var b hexadecimal
	if errno = k.ask(k.do("receive"), &some, &b); errno != 0 || some == 0 {
		return h, nil, nil, false, errno
	}
	h, name, data, c := message.ParseEntire(b, uint32(len(b)))
	return h, name, data, true, c.Errno()
}
