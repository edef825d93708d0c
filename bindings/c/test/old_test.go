package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kbus.example/kbus/internal/testing/programs"
)

// Programs as they were written for the original library. They include what they included then, one header of KBUS as
// a rule, and must compile and run as they are.

// compileOld compiles with the flags that such programs are built with: those of pkg-config, and warnings that matter.
func compileOld(t *testing.T, compiler, source string, more ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), strings.TrimSuffix(source, filepath.Ext(source)))
	args := append([]string{"-Wall", "-Werror", "-I../include", "-I../include/kbus", "-o", program,
		filepath.Join("testdata/old", source)}, more...)
	said, err := exec.Command(compiler, append(args, made(t, "libkbus.a"), "-pthread")...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", source, err, said)
	}
	return program
}

func TestOldPrograms(t *testing.T) {
	says := map[string]string{
		"lamp.c": `<Reply '$.Lamp.Set' id=[0:2] to=2 from=1 in_reply_to=[0:1] data=on>
<Reply '$.Lamp.Set' id=[0:4] to=2 from=1 in_reply_to=[0:3] data=off>
<Reply '$.Lamp.Set' id=[0:6] to=2 from=1 in_reply_to=[0:5] data=dimmed>
`,
		"wrapper.cc": "<Reply '$.Wrapped' id=[0:2] to=2 from=1 in_reply_to=[0:1] data=ok>\n",
		"native.c":   "",
		"bridge.c":   "",
		"device.c":   "1\n",
	}
	for source, wants := range says {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			compiler := "gcc"
			if strings.HasSuffix(source, ".cc") {
				compiler = "g++"
				if _, err := exec.LookPath(compiler); err != nil {
					t.Skip("g++ is not installed")
				}
			}
			program := compileOld(t, compiler, source)
			for _, rings := range []string{"on", "off"} {
				dir, stop := serve(t, nil)
				if said := run(t, dir, rings, program); said != wants {
					t.Errorf("rings %s: it says\n%s", rings, said)
				}
				stop()
			}
		})
	}
}

// Every function says the same through a socket and through a device, and what it said before.
func TestOldEverything(t *testing.T) {
	program := compileOld(t, "gcc", "everything.c")
	wants, err := os.ReadFile("testdata/old/everything.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, rings := range []string{"on", "off"} {
		dir, stop := serve(t, nil)
		if said := run(t, dir, rings, program); said != string(wants) {
			t.Errorf("rings %s: it says\n%s", rings, said)
		}
		stop()
	}
	if _, err := os.Stat("/dev/fuse"); err != nil || os.Geteuid() != 0 {
		t.Log("devices need root and /dev/fuse")
		return
	}
	dir, node := withDevice(t)
	if said := run(t, dir, "on", program, node); said != string(wants) {
		t.Errorf("through a device it says\n%s", said)
	}
}

// withDevice starts a real daemon with devices, and gives its directory and the node of bus 0.
func withDevice(t *testing.T) (dir, node string) {
	t.Helper()
	dir = shortDir(t)
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := programs.Build(dir, "kbusd"); err != nil {
		t.Fatal(err)
	}
	ready, err := programs.NewReady(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ready.Close()
	link := filepath.Join(dir, "kbus")
	kbusd := exec.Command(filepath.Join(dir, "kbusd"), "--dir", dir, "--device=fuse", "--device-link", link, "--log-level", "error")
	kbusd.Env = append(os.Environ(), ready.Variable())
	kbusd.Stderr = os.Stderr
	if err := kbusd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		kbusd.Process.Signal(syscall.SIGTERM) // in order, so that nothing stays mounted
		kbusd.Wait()
	})
	if err := ready.Await(time.Minute); err != nil {
		t.Fatal(err)
	}
	return dir, link + "0"
}

// The command-line tool, in two processes.
func TestOldTool(t *testing.T) {
	tool := compileOld(t, "gcc", "kmsg.c")
	dir, stop := serve(t, nil)
	defer stop()
	replier := exec.Command(tool, "reply", "$.Tool", "2")
	replier.Env = append(os.Environ(), "KBUS_DIR="+dir)
	lines := talk(t, replier)
	lines.wants(t, "bound to '$.Tool'")
	if said := run(t, dir, "on", tool, "-bus", "0", "call", "$.Tool", "s", "text"); said != "answered\n" {
		t.Errorf("%q", said)
	}
	run(t, dir, "off", tool, "send", "$.Other", "h", "00ff")
	run(t, dir, "off", tool, "call", "$.Tool", "h", "00ff41")
	lines.wants(t, `<Request '$.Tool' id=[0:1] from=2 flags=0x3 REQ YOU data=text>`)
	lines.wants(t, `<Request '$.Tool' id=[0:4] from=4 flags=0x3 REQ YOU data=\x00\xffA>`)
	if err := replier.Wait(); err != nil {
		t.Error(err)
	}
}

// Each header can be included first, alone, in C and in C++, by a strict compiler; and brings what the original's did.
func TestHeadersAlone(t *testing.T) {
	const uses = `
static inline int uses(char *name, unsigned long code)
{
	char *copy = (char *)malloc(strlen(name) + 1);
	int   fd = open(name, O_RDWR);
	assert(copy != NULL);
	if (fd < 0 || ioctl(fd, code, copy) < 0 || read(fd, copy, 1) < 0)
		printf("%s %d %s\n", strcpy(copy, name), errno, strerror(errno));
	free(copy);
	return close(fd) == 0 && code == KBUS_IOC_RESET ? EXIT_SUCCESS : -EBADF;
}
int main(int argc, char **argv) { return argc > 1 && uses(argv[1], KBUS_IOC_RESET); }
`
	headers := []string{"kbus.h", "kbus/kbus.h", "kbus/kbus_defns.h", "kbus/kbus_bus.h", "kbus/kbus_tap.h", "kbus/limpet.h", "kbus_defns.h",
		"limpet.h", "linux/kbus_defns.h", "libkbus/kbus.h", "libkbus/limpet.h"}
	for _, c := range [][]string{
		{"gcc", "-xc", "-std=c99", "-pedantic"}, {"gcc", "-xc", "-std=gnu89"}, {"gcc", "-xc", "-std=gnu11"},
		{"g++", "-xc++", "-std=c++98", "-pedantic"}, {"g++", "-xc++", "-std=c++17", "-pedantic"},
	} {
		if _, err := exec.LookPath(c[0]); err != nil {
			t.Logf("%s is not installed", c[0])
			continue
		}
		for _, header := range headers {
			args := append(c[1:], "-Wall", "-Wextra", "-Werror", "-Wno-long-long", "-I../include", "-I../include/kbus",
				"-fsyntax-only", "-")
			compiler := exec.Command(c[0], args...)
			compiler.Stdin = strings.NewReader("#include <" + header + ">\n" + uses)
			if said, err := compiler.CombinedOutput(); err != nil {
				t.Errorf("%s with %v: %v\n%s", header, c, err, said)
			}
		}
	}
}
