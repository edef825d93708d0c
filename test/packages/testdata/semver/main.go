// Command semver ends well if its first argument is a version before its second, as semantic versioning has it.
package main

import (
	"os"

	"github.com/Masterminds/semver/v3"
)

func main() {
	if !semver.MustParse(os.Args[1]).LessThan(semver.MustParse(os.Args[2])) {
		os.Exit(1)
	}
}
