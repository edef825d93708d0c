// Package npm installs packages of npm for tests that have a stranger's program read what we write.
package npm

import (
	"errors"
	"fmt"
	"os/exec"
)

// Install installs a package of a fixed version into a directory, where node finds it. No script of it is run.
func Install(dir, of string) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return errors.New("no npm here; install it with: apt-get install npm")
	}
	c := exec.Command("npm", "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", of)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("npm install %s: %w: %s", of, err, out)
	}
	return nil
}
