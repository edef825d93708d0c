package folder

import (
	"fmt"
	"os"
	"strings"

	"kbus.example/kbus/internal/services"
)

// Doubts are about what may be right and mostly is not, a line for each: a program that is not there, or that nobody may execute. It
// may come before it is wanted, so it is no mistake. elsewhere: the files are for another machine, which may have the program.
func Doubts(set *services.Set, elsewhere bool) (lines []string) {
	for _, s := range set.Services {
		if len(s.Exec) == 0 {
			continue
		}
		if doubt := doubtOf(s.Exec, elsewhere); doubt != "" {
			lines = append(lines, s.File+": exec: "+doubt)
		}
	}
	return lines
}

func doubtOf(words []string, elsewhere bool) string {
	program := words[0]
	info, err := os.Stat(program)
	switch {
	case err == nil && info.IsDir():
		return program + " is a directory, and no program"
	case err == nil && info.Mode().Perm()&0o111 == 0:
		return program + " cannot be executed: chmod +x"
	case err == nil:
		return ""
	case strings.ContainsAny(program, " \t"):
		return fmt.Sprintf("there is no program %q; if that is a whole command line, write each word of it as a string of its own", program)
	case elsewhere:
		return ""
	case os.IsNotExist(err):
		return "there is no program " + program
	}
	return err.Error()
}
