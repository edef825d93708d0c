package test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus"
)

// install installs what was made, with arguments for make, and gives what kbus.pc tells a compiler.
func install(t *testing.T, pkgconfig string, args ...string) (flags []string) {
	t.Helper()
	if _, err := exec.LookPath("pkg-config"); err != nil {
		t.Skip("pkg-config is not installed")
	}
	made(t, "libkbus.so")
	args = append([]string{"-s", "-C", "..", "OUT=" + library.dir, "install"}, args...)
	if said, err := exec.Command("make", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	ask := exec.Command("pkg-config", "--cflags", "--libs", "kbus")
	ask.Env = append(os.Environ(), "PKG_CONFIG_PATH="+pkgconfig)
	said, err := ask.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return strings.Fields(string(said))
}

func compileInstalled(t *testing.T, program, source string, flags []string) {
	t.Helper()
	if err := os.WriteFile(program+".c", []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-Wall", "-Wextra", "-Werror", "-o", program, program + ".c"}, flags...)
	if said, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
}

// documented gives the whole programs of docs/c.md, and the other samples.
func documented(t *testing.T) (programs, samples []string) {
	t.Helper()
	page, err := os.ReadFile("../../../docs/c.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(page), "```c\n")[1:] {
		sample, _, _ := strings.Cut(part, "```")
		if strings.Contains(sample, "int main(") {
			programs = append(programs, sample)
		} else {
			samples = append(samples, sample)
		}
	}
	return programs, samples
}

// The programs in docs/c.md, compiled as a user does it: from what was installed, with pkg-config. They talk to each
// other.
func TestInstalled(t *testing.T) {
	prefix := t.TempDir()
	flags := install(t, prefix+"/lib/pkgconfig", "PREFIX="+prefix)
	programs, samples := documented(t)
	if len(programs) != 3 || len(samples) != 2 {
		t.Fatalf("docs/c.md has %d programs and %d other samples", len(programs), len(samples))
	}
	compileInstalled(t, prefix+"/lamp", programs[0], flags)
	compileInstalled(t, prefix+"/hand", programs[1], flags)
	compileInstalled(t, prefix+"/tap", programs[2], flags)
	compileInstalled(t, prefix+"/sample", "#include <stdio.h>\n#include <kbus/kbus_bus.h>\nint main(void)\n{\nkbus_bus_t *bus = NULL;\n{\n"+
		strings.Join(samples, "}\n{\n")+"}\nreturn 0;\n}\n", flags)

	dir, stop := serve(t, nil)
	defer stop()
	t.Setenv("LD_LIBRARY_PATH", prefix+"/lib")
	lamp := exec.Command(prefix + "/lamp")
	lamp.Env = append(os.Environ(), "KBUS_DIR="+dir)
	lines := talk(t, lamp)
	ctx, done := context.WithTimeout(t.Context(), hang)
	defer done()
	awaitReplier(t, ctx, dir, "$.Lamp.Set")
	for _, state := range []string{"on", "off"} {
		if said := run(t, dir, "on", prefix+"/hand", state); said != "done\n" {
			t.Errorf("%q", said)
		}
	}
	lines.wants(t, "the lamp is on")
	lines.wants(t, "the lamp is off")
	if err := lamp.Wait(); err != nil {
		t.Error(err)
	}
	alone := exec.Command(prefix + "/hand")
	alone.Env = append(os.Environ(), "KBUS_DIR="+dir)
	if said, err := alone.CombinedOutput(); err == nil || !bytes.Contains(said, []byte("nobody is bound")) {
		t.Errorf("%v, %q", err, said)
	}
	shutTheDoor(t, dir, prefix+"/tap")
	for _, page := range []string{"kbus_tap_next.3", "kbus_ksock_send.3", "kbus_bus_receive.3", "kbus_limpet_new_context.3",
		"kbus_msg_is_reply.3", "kbus_bus_reopen.3", "kbus_bus_peer.3", "kbus_ksock_missed.3"} {
		if text, err := os.ReadFile(prefix + "/share/man/man3/" + page); err != nil || !bytes.Contains(text,
			[]byte(".SH SYNOPSIS")) {
			t.Errorf("%s: %v", page, err)
		}
	}
	if st, err := os.Stat(prefix + "/lib/libkbus.so.1"); err != nil || st.Size() > 1<<20 {
		t.Error(st, err)
	}
}

// shutTheDoor has the page's tap see something, again and again until it has seen enough.
func shutTheDoor(t *testing.T, dir, program string) {
	t.Helper()
	tap := exec.Command(program)
	tap.Env = append(os.Environ(), "KBUS_DIR="+dir)
	var said bytes.Buffer
	tap.Stdout = &said
	if err := tap.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- tap.Wait() }()
	k, err := kbus.Open(t.Context(), 0, kbus.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for {
		for _, name := range []string{"$.Door.Open", "$.Door.Shut"} {
			if _, err := k.Send(t.Context(), kbus.Announcement(name, "")); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case err := <-ended:
			if want := "$.Door.Shut reached 0, skipped 0 \n"; err != nil || !strings.HasSuffix(said.String(), want) {
				t.Errorf("%v, %q", err, &said)
			}
			return
		default:
		}
	}
}

// Other places, told to install alone: kbus.pc says those, and not where it was packed.
func TestInstalledElsewhere(t *testing.T) {
	root := t.TempDir()
	packed := filepath.Join(root, "packed")
	install(t, packed+"/opt/kbus/lib/machine/pkgconfig", "DESTDIR="+packed, "PREFIX=/opt/kbus",
		"LIBDIR=/opt/kbus/lib/machine", "INCLUDEDIR=/srv/include")
	text, err := os.ReadFile(packed + "/opt/kbus/lib/machine/pkgconfig/kbus.pc")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"prefix=/opt/kbus\n", "libdir=${prefix}/lib/machine\n", "includedir=/srv/include\n"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("kbus.pc does not say %q:\n%s", line, text)
		}
	}
	if _, err := os.Stat(packed + "/srv/include/kbus/kbus.h"); err != nil {
		t.Error(err)
	}
	flags := install(t, root+"/lib64/pkgconfig", "PREFIX="+root, "LIBDIR="+root+"/lib64", "INCLUDEDIR="+root+"/inc")
	compileInstalled(t, root+"/program", "#include <kbus.h>\nint main(void) { return kbus_ksock_close(-1) != -EBADF; }\n",
		flags)
	t.Setenv("LD_LIBRARY_PATH", root+"/lib64")
	run(t, root, "on", root+"/program")
}
