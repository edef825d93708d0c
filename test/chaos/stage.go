package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// door is a kind of actor.
type door struct {
	name    string
	command func(s *stage, own, seed string) []string
	deaf    bool // a device says nothing of open Requests when the daemon dies: the descriptor fails
}

var doors = [actors]door{
	{name: "Go, rings", command: goActor("rings")},
	{name: "Go, socket", command: goActor("socket")},
	{name: "C, modern", command: cActor("modern")},
	{name: "C, compatible", command: cActor("compatible")},
	{name: "Python", command: pythonActor("socket")},
	{name: "asyncio", command: pythonActor("aio")},
	{name: "JavaScript", command: javaScriptActor},
	{name: "device", command: pythonActor("device"), deaf: true},
	{name: "command line", command: func(s *stage, own, seed string) []string {
		return []string{filepath.Join(s.bin, "kbus"), "listen", newsName, "--json"}
	}},
}

func goActor(how string) func(*stage, string, string) []string {
	return func(s *stage, own, seed string) []string {
		self, _ := os.Executable()
		return []string{self, actorRole, how, own, s.count(), seed}
	}
}

func cActor(which string) func(*stage, string, string) []string {
	return func(s *stage, own, seed string) []string {
		return []string{filepath.Join(s.dir, which), own, s.count(), seed}
	}
}

func pythonActor(how string) func(*stage, string, string) []string {
	return func(s *stage, own, seed string) []string {
		where := how
		if how == "device" {
			if where = filepath.Join(s.dir, "dev", "kbus0"); !s.mounted.Load() {
				where = "socket"
			}
		}
		return []string{"python3", filepath.Join("test", "chaos", "actors", "actor.py"), where, own, s.count(), seed}
	}
}

// javaScriptActor is one more in Go where there is no Node.
func javaScriptActor(s *stage, own, seed string) []string {
	if _, err := exec.LookPath("node"); err != nil {
		return goActor("socket")(s, own, seed)
	}
	return []string{"node", filepath.Join("test", "chaos", "actors", "actor.mjs"), own, s.count(), seed}
}

// stage is where all happens.
type stage struct {
	bin, dir string
	devices  bool        // FUSE is there
	mounted  atomic.Bool // and the daemon of this life of the bus has a device
	seed     uint64
	kills    int64
	books    books
	course
	service
}

// course is how far the play has come, and all that can be waited for in it.
type course struct {
	killed   atomic.Int64
	upgraded atomic.Int64
	lines    atomic.Int64 // that have been said
	replaced atomic.Bool  // there have been all upgrades
	finishes atomic.Bool
	news
}

// service is the daemon, one life of it after the other.
type service struct {
	daemon   sync.RWMutex // held to write while there is none
	bus      int          // which life
	process  *exec.Cmd
	program  string // of the service, by its number
	forms    forms
	cleared  bool           // nothing may be started any more; guarded by starting
	starting sync.Mutex     // of a daemon
	down     atomic.Bool    // it has been killed, and there is no other yet
	playing  sync.WaitGroup // actors of this life of the bus
}

// actors is how many there are.
const actors = 9

func (s *stage) count() string { return fmt.Sprint(actors) }

func newStage(bin string, seed uint64, kills int) (*stage, error) {
	dir, err := os.MkdirTemp("", "kbus-chaos")
	if err != nil {
		return nil, err
	}
	if bin, err = filepath.Abs(bin); err != nil {
		return nil, err
	}
	s := &stage{bin: bin, dir: dir, seed: seed, kills: int64(kills)}
	s.changed.L = &s.news.mu
	return s, nil
}

// prepare compiles what the actors are, and starts the first daemon.
func (s *stage) prepare() error {
	if err := os.Mkdir(filepath.Join(s.dir, "dev"), 0o755); err != nil {
		return err
	}
	if err := s.writeService(); err != nil {
		return err
	}
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err == nil {
		f.Close()
		s.devices = os.Getuid() == 0
	}
	if !s.devices {
		fmt.Println("chaos: no devices here (they need root and /dev/fuse); that actor goes through the socket")
	}
	for _, which := range []string{"modern", "compatible"} {
		cc := exec.Command("cc", "-O1", "-D_GNU_SOURCE", "-I", "bindings/c/include", "-o", filepath.Join(s.dir, which),
			"test/chaos/actors/"+which+".c", filepath.Join(s.bin, "c", "libkbus.a"), "-pthread")
		if out, err := cc.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(cc.Args, " "), err, out)
		}
	}
	if s.forms.differ {
		if err := s.forms.make(s.dir); err != nil {
			return err
		}
	}
	os.Setenv("KBUS_DIR", filepath.Join(s.dir, "run"))
	os.Setenv("PYTHONPATH", "bindings/python")
	os.Setenv("PYTHONDONTWRITEBYTECODE", "1")
	return s.beginLife()
}

// beginLife begins a new life of the bus.
func (s *stage) beginLife() error {
	if err := s.startDaemon(); err != nil {
		return err
	}
	s.bus++
	s.books.begin()
	return nil
}

// startDaemon starts a daemon, and returns when the bus is there. Every other one has a device.
func (s *stage) startDaemon() error {
	s.mounted.Store(s.devices && s.bus%2 == 0)
	s.forms.now, s.program = shipped, ""
	return s.runDaemon(s.command(), "buses are open")
}

// command is a daemon that is not started yet.
func (s *stage) command(args ...string) *exec.Cmd {
	args = append([]string{"--dir", filepath.Join(s.dir, "run"), "--services", filepath.Join(s.dir, "kbus.d"), "--drain", "1s"}, args...)
	if s.mounted.Load() {
		args = append(args, "--device=fuse", "--device-link", filepath.Join(s.dir, "dev", "kbus"))
	}
	c := exec.Command(filepath.Join(s.bin, "kbusd"), args...)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c
}

// runDaemon starts a daemon, and returns when it says so.
func (s *stage) runDaemon(process *exec.Cmd, says string) error {
	said, out, err := os.Pipe()
	if err != nil {
		return err
	}
	process.Stderr = out
	s.starting.Lock()
	if s.cleared {
		s.starting.Unlock()
		select {} // the end has come from elsewhere
	}
	if err = process.Start(); err == nil {
		s.process = process
	}
	s.starting.Unlock()
	out.Close()
	if err != nil {
		return err
	}
	lines := bufio.NewReader(said)
	first, err := lines.ReadString('\n')
	for err == nil && !strings.Contains(first, says) {
		first, err = lines.ReadString('\n')
	}
	if err != nil {
		return fmt.Errorf("kbusd does not start: %s", first)
	}
	go func() { io.Copy(io.Discard, lines); said.Close() }()
	return nil
}

// perform lets all play until so many have been killed as shall be, and has the daemon be upgraded so often.
func (s *stage) perform(upgrades int) {
	var play sync.WaitGroup
	slots := make([]*slot, len(doors))
	for i, d := range doors {
		slots[i] = &slot{stage: s, door: d, own: i, chance: rand.New(rand.NewPCG(s.seed, uint64(i)))}
	}
	for _, a := range slots {
		play.Go(a.play)
	}
	silent := int64(-1)
	progress := time.NewTicker(patience)
	defer progress.Stop()
	ended := make(chan struct{})
	go func() {
		if s.kills > 0 {
			go s.upgrade(int64(upgrades))
			s.endBuses()
		} else {
			s.upgrade(int64(upgrades))
			s.finishes.Store(true)
			s.tell()
		}
		for _, a := range slots { // all answers come first
			s.await(func() bool { return !a.owes() })
		}
		for _, a := range slots {
			a.dismiss()
		}
		play.Wait()
		close(ended)
	}()
	for {
		select {
		case <-ended:
			s.books.begin()
			return
		case <-progress.C:
			if n := s.lines.Load() + s.killed.Load(); n == silent {
				s.books.Lock()
				s.books.violation("nobody says anything any more: %s", s.waiting(slots))
				s.books.Unlock()
				return
			} else {
				silent = n
			}
			fmt.Fprintf(os.Stderr, "chaos: %d of %d kills, %d lives of the bus\n", s.killed.Load(), s.kills, s.bus)
		}
	}
}

// patience is how long nobody may say anything.
const patience = 20 * time.Second

// waiting tells who waits.
func (s *stage) waiting(slots []*slot) (who string) {
	for _, a := range slots {
		if a.owes() {
			who += a.door.name + " waits for answers; "
		}
	}
	return who
}

// endBuses kills the daemon now and then, or ends it in order, and starts it anew, until the play comes to its end.
func (s *stage) endBuses() {
	chance := rand.New(rand.NewPCG(s.seed, 1000))
	for !s.finishes.Load() {
		next := s.killed.Load() + 20 + chance.Int64N(40)
		s.await(func() bool { return s.killed.Load() >= next || s.killed.Load() >= s.kills && s.replaced.Load() })
		if s.killed.Load() >= s.kills && s.replaced.Load() {
			s.finishes.Store(true)
			s.tell()
			return
		}
		s.daemon.Lock() // waits until no actor is being started
		how := syscall.SIGKILL
		if chance.IntN(2) == 0 {
			how = syscall.SIGTERM
		}
		s.down.Store(true)
		s.tell()
		s.process.Process.Signal(how)
		s.process.Wait()
		s.killed.Add(1)
		s.tell()
		s.playing.Wait() // until all have seen it, and their lives are in the books
		s.down.Store(false)
		if err := s.beginLife(); err != nil {
			fmt.Fprintln(os.Stderr, "chaos:", err)
			s.clear()
			os.Exit(1)
		}
		s.daemon.Unlock()
		s.tell()
	}
}

// clear leaves nothing behind, whenever it is called: no daemon, no mount, no directory. Actors end with this process.
func (s *stage) clear() {
	s.starting.Lock()
	defer s.starting.Unlock()
	if s.cleared {
		return
	}
	s.cleared = true
	if s.process != nil {
		s.process.Process.Signal(syscall.SIGKILL)
		s.process.Process.Wait()
	}
	syscall.Unmount(filepath.Join(s.dir, "run", "bus0"), syscall.MNT_DETACH)
	os.RemoveAll(s.dir)
}
