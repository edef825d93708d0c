package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
)

// The actors are this program itself, run again under another user with a role in its environment. They are told things,
// and say things, a line at a time.

const roleVariable = "KBUS_NEIGHBOURS_ROLE"

// The users. Only their numbers matter.
const (
	serviceUID  = 1
	callerUID   = 2
	attackerUID = 65534
)

type child struct {
	process *exec.Cmd
	tell    *os.File
	hear    *bufio.Scanner
	stderr  bytes.Buffer
	gone    chan struct{}
}

func startChild(d *daemon, role string, uid uint32) *child {
	c := &child{process: exec.Command(d.actor()), gone: make(chan struct{})}
	in, tell, err := os.Pipe()
	check(err)
	hear, out, err := os.Pipe()
	check(err)
	c.tell, c.hear = tell, bufio.NewScanner(hear)
	c.process.Stdin, c.process.Stdout, c.process.Stderr = in, out, &c.stderr
	c.process.Env = append(os.Environ(), "KBUS_DIR="+d.run(), roleVariable+"="+role)
	c.process.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uid, Gid: uid},
		Pdeathsig:  syscall.SIGKILL,
	}
	if uid == serviceUID || uid == callerUID {
		check(startFirst(c.process.Start))
	} else {
		check(startLast(c.process.Start))
	}
	in.Close()
	out.Close()
	go func() { c.process.Wait(); close(c.gone) }()
	return c
}

// line is the next thing it says. One that ends instead ends everything, with its last words.
func (c *child) line() string {
	if !c.hear.Scan() {
		<-c.gone
		fail("%s has ended: %s", c.process.Env[len(c.process.Env)-1], c.stderr.String())
	}
	return c.hear.Text()
}

func (c *child) say(format string, args ...any) { fmt.Fprintf(c.tell, format+"\n", args...) }

func (c *child) kill() {
	c.process.Process.Signal(syscall.SIGKILL)
	<-c.gone
}

func (c *child) stop() {
	c.kill()
	c.tell.Close()
}

// daemon is a kbusd with small limits, so that an attack soon meets them.
type daemon struct {
	dir     string
	process *exec.Cmd
	log     bytes.Buffer
	pid     atomic.Int64 // of the process that it is now, which an upgrade changes
	over    chan string  // gets why an upgrade was refused, or nothing when it was not
	gone    chan struct{}
}

const settings = `shared-log = "4MiB"
[limits]
queue-bytes = "%dMiB"
user-queue-bytes = "%dMiB"
buffer-bytes = "16MiB"
user-buffer-bytes = "4MiB"
connections = 4096
user-connections = %d
`

// userMiB is what queues of one user may hold, and of all users four times as much.
const userMiB = 8

func (a *attack) userMiB() int { return cmp.Or(a.queueMiB, userMiB) }

// haveDevices tells whether buses can be devices here.
func haveDevices() bool {
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err == nil {
		f.Close()
	}
	return err == nil
}

// mostMiB is 1.25 times queue-bytes, buffer-bytes and shared-log, and what a daemon with its connections takes.
func (a *attack) mostMiB() int { return (4*a.userMiB()+16+4)*5/4 + 24 }

func startDaemon(bin string, a attack) *daemon {
	dir, err := os.MkdirTemp("", "kbus-neighbours")
	check(err)
	check(os.Chmod(dir, 0o755))
	file := filepath.Join(dir, "kbusd.toml")
	check(os.WriteFile(file, fmt.Appendf(nil, settings, 4*a.userMiB(), a.userMiB(), cmp.Or(a.connections, 100)), 0o644))
	if a.services {
		check(os.Mkdir(filepath.Join(dir, "kbus.d"), 0o755))
		for name, text := range serviceFiles {
			check(os.WriteFile(filepath.Join(dir, "kbus.d", name), []byte(text), 0o644))
		}
	}
	path, err := filepath.Abs(filepath.Join(bin, "kbusd"))
	check(err)
	d := &daemon{dir: dir, over: make(chan string, 1), gone: make(chan struct{})}
	d.copyActor()
	ready, out, err := os.Pipe()
	check(err)
	running.Store(d)
	d.process = exec.Command(path, "--dir", filepath.Join(dir, "run"), "--config", file)
	if a.device {
		d.process.Args = append(d.process.Args, "--device=fuse", "--device-link", filepath.Join(dir, "kbus"))
	}
	d.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	d.process.Stderr = out
	if err := startFirst(d.process.Start); err != nil {
		close(d.gone)
		check(err)
	}
	out.Close()
	d.pid.Store(int64(d.process.Process.Pid))
	started := make(chan bool, 1)
	go func() { // its first line says that it takes connections; the rest is kept
		lines := bufio.NewScanner(ready)
		for lines.Scan() {
			if d.log.Len() < 1<<20 {
				fmt.Fprintln(&d.log, lines.Text())
			}
			if _, to, upgraded := strings.Cut(lines.Text(), `msg="handed over" to=`); upgraded {
				var pid int64
				fmt.Sscan(to, &pid)
				d.pid.Store(pid)
				d.over <- ""
			} else if strings.Contains(lines.Text(), `msg="nobody takes over`) {
				d.over <- lines.Text()
			}
			select {
			case started <- true:
			default:
			}
		}
		d.process.Wait()
		close(d.gone)
	}()
	select {
	case <-started:
	case <-d.gone:
		fail("kbusd does not start: %s", d.log.String())
	}
	return d
}

// upgrade has another process take over, and returns when it has; or says why it has not.
func (d *daemon) upgrade() (refused string) {
	check(syscall.Kill(int(d.pid.Load()), syscall.SIGUSR2))
	select {
	case refused = <-d.over:
	case <-d.gone:
		refused = d.lastWords()
	}
	return refused
}

// copyActor puts this program where other users may run it: go run keeps it in a directory of its own user.
func (d *daemon) copyActor() {
	program, err := os.ReadFile("/proc/self/exe")
	check(err)
	check(os.WriteFile(d.actor(), program, 0o755))
	check(os.Chmod(d.actor(), 0o755)) // whatever the umask
}

func (d *daemon) actor() string { return filepath.Join(d.dir, "actor") }

func (d *daemon) run() string { return filepath.Join(d.dir, "run") }

func (d *daemon) ended() bool {
	select {
	case <-d.gone:
		return true
	default:
		return false
	}
}

func (d *daemon) lastWords() string {
	lines := strings.Split(strings.TrimSpace(d.log.String()), "\n")
	return lines[len(lines)-1]
}

// memory is what is resident, in MiB.
func (d *daemon) memory() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.pid.Load()))
	if err != nil {
		return 0
	}
	var kib float64
	_, line, _ := bytes.Cut(text, []byte("VmRSS:"))
	fmt.Sscanf(string(line), "%f", &kib)
	return kib / 1024
}

// running is the daemon of the moment, for who ends early.
var running atomic.Pointer[daemon]

// stop leaves nothing of it: no process, no mount, no directory.
func (d *daemon) stop() {
	if pid := d.pid.Load(); pid != 0 && !d.ended() {
		syscall.Kill(int(pid), syscall.SIGKILL)
	}
	<-d.gone
	syscall.Unmount(filepath.Join(d.run(), "bus0"), syscall.MNT_DETACH) // if it was a device
	os.RemoveAll(d.dir)
}

func check(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "neighbours: "+format+"\n", args...)
	if d := running.Load(); d != nil {
		d.stop()
	}
	os.Exit(3)
}
