package conformance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// known is a driver that the repository may have, and its front ends.
type known struct {
	language string
	doors    []string // their names; each is the driver's first argument
	there    string   // a file that is there when the driver is
	needs    []string // programs that building or starting it needs
	build    []string // what builds it; nil: nothing
	command  []string // what starts it
	env      []string // with this beside our environment
	again    bool     // it can go on with another daemon in the same directory
}

// drivers are looked for in the module's directory, where paths in them begin.
var drivers = []known{
	{
		language: "C", doors: []string{"socket", "rings", "device", "modern", "modern-socket"}, there: "bindings/c/driver",
		needs: []string{"make", "gcc"}, build: []string{"make", "-s", "-C", "bindings/c", "driver"},
		command: []string{module() + "/bindings/c/build/conformance-driver"}, again: true,
	},
	{
		language: "Python", doors: []string{"socket", "device", "asyncio"}, there: "bindings/python/kbus/conformance.py",
		needs: []string{"python3"}, command: []string{"python3", "-m", "kbus.conformance"},
		env: []string{"PYTHONPATH=" + module() + "/bindings/python", "PYTHONDONTWRITEBYTECODE=1"}, again: true,
	},
	{
		language: "JavaScript", doors: []string{"socket"}, there: "bindings/js/driver/conformance.js",
		needs: []string{"node"}, command: []string{"node", module() + "/bindings/js/driver/conformance.js"}, again: true,
	},
}

// driven are the front ends that are reached through drivers. A driver that cannot be built or started is a failure; one
// that is not there, or for which this machine has no compiler, is named.
func driven() (list []*front) {
	for _, k := range drivers {
		missing, broken := k.missing(), error(nil)
		if missing == "" && len(k.build) > 0 {
			broken = k.make()
		}
		for _, door := range k.doors {
			f := &front{name: k.language + ", " + strings.ReplaceAll(door, "-", " "), missing: missing, broken: broken}
			if door == "device" {
				f.exact, f.lacks = true, map[string]string{"loss": lossOfDevice}
				if f.missing == "" {
					f.missing = noDevices()
				}
			}
			f.drive(&pool{command: append(slices.Clip(k.command), door), env: k.env, again: k.again, device: f.exact})
			list = append(list, f)
		}
	}
	return list
}

// make builds the driver.
func (k *known) make() error {
	build := exec.Command(k.build[0], k.build[1:]...)
	build.Dir = module()
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(k.build, " "), err, out)
	}
	return nil
}

// missing tells why it cannot be run here.
func (k *known) missing() string {
	if _, err := os.Stat(filepath.Join(module(), k.there)); errors.Is(err, fs.ErrNotExist) {
		return "there is no " + k.there
	}
	for _, program := range k.needs {
		if _, err := exec.LookPath(program); err != nil {
			return "this machine has no " + program
		}
	}
	return ""
}

// drive makes it a front end behind drivers of that kind, and asks one what it can do.
func (f *front) drive(p *pool) {
	f.attach, f.drivers = attachDriver(f), p
	p.directory, p.patience = module(), *patience
	if f.missing != "" || f.broken != nil {
		return
	}
	f.caps, f.broken = p.caps()
	f.caps = append(f.caps, "encode", "loss")
}

// module is the directory of the project.
func module() string {
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(fmt.Sprintf("no working directory: %v", err))
	}
	return dir
}
