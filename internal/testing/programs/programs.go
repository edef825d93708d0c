// Package programs has the programs of this repository for tests that run them. `make` has built them before it runs such tests,
// and says where in KBUS_PROGRAMS: then they are taken from there, so that one `make` builds and links each program once and not
// in every package. Without it the go command builds them, in the same way.
package programs

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// built is the environment variable with the directory in which `make` has built all programs.
const built = "KBUS_PROGRAMS"

// Build puts programs into a directory, under their own names. Those of `make` are copied, for tests put other things beside them;
// and since they are read, the go command runs a test again when they have changed.
func Build(dir string, names ...string) error {
	from := os.Getenv(built)
	if from != "" {
		for _, name := range names {
			if err := copyProgram(filepath.Join(from, name), filepath.Join(dir, name)); err != nil {
				return fmt.Errorf("%s=%s: %w", built, from, err)
			}
		}
		return nil
	}
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", dir+string(filepath.Separator))
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	for _, name := range names {
		build.Args = append(build.Args, "kbus.example/kbus/cmd/"+name)
	}
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", build, err, out)
	}
	return nil
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err = io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// Main is for the TestMain of a package that runs programs: it builds them, has them in PATH as long as the tests run, and
// takes what would lead them to a bus of the machine out of the environment. prepare, if not nil, is called before the tests
// with the directory that they are in. It gives the exit status.
func Main(m *testing.M, prepare func(dir string) error, names ...string) (status int) {
	dir, err := os.MkdirTemp("", "kbus-programs-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = Build(dir, names...)
	}
	if err == nil && prepare != nil {
		err = prepare(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, name := range []string{"KBUS_DIR", "NO_COLOR", "XDG_RUNTIME_DIR"} {
		os.Unsetenv(name)
	}
	return m.Run()
}
