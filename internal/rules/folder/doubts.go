package folder

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"kbus.example/kbus/internal/rules"
)

// Doubts are about programs that no process ever is, a line for each: a path with a symbolic link in it, for the kernel calls a program by
// the path of the file; a script, for it is the interpreter that runs; and a file that is not there, which may come later. A rule
// about such a one allows nothing, and denies nothing either. So that is no mistake, and mostly is not meant.
func Doubts(set *rules.Set) (lines []string) {
	for i := range set.Rules {
		r := &set.Rules[i]
		for _, program := range r.Programs {
			doubt := doubtOf(program)
			line := fmt.Sprintf("%v: program: %s", r.Position, doubt)
			if doubt != "" && !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

func doubtOf(program string) string {
	file, err := filepath.EvalSymlinks(program)
	switch {
	case os.IsNotExist(err):
		return "there is no program " + program
	case err != nil:
		return "" // who may not see it cannot say
	case file != program:
		return fmt.Sprintf("%s is a link: what runs is %s", program, file)
	case isScript(file):
		return program + " is a script: what runs is its interpreter. A unit, or a user, tells it from others"
	}
	return ""
}

func isScript(file string) bool {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	var begin [2]byte
	_, err = f.Read(begin[:])
	return err == nil && string(begin[:]) == "#!"
}
