package cli

import (
	"fmt"
	"io"
	"testing"

	"github.com/spf13/cobra"
)

// A flag whose value is no number says so, and names no function of ours.
func TestFlagError(t *testing.T) {
	for arg, want := range map[string]string{
		"--names=x":                     `invalid argument "x" for "--names" flag: a number is needed`,
		"--names=99999999999999999999":  `invalid argument "99999999999999999999" for "--names" flag: there is no room for that number`,
		"--json=perhaps":                `invalid argument "perhaps" for "--json" flag: true or false is needed`,
		"--none":                        "unknown flag: --none",
		"--bus=x":                       `invalid argument "x" for "--bus" flag: ` + (new(BusNumber)).Set("x").Error(),
		"--names=-99999999999999999999": `invalid argument "-99999999999999999999" for "--names" flag: there is no room for that number`,
	} {
		root := &cobra.Command{Use: "program"}
		var f Flags
		SetUp(root, &f, "", "", io.Discard, io.Discard)
		c := &cobra.Command{Use: "count", RunE: func(*cobra.Command, []string) error { return nil }}
		c.Flags().Int("names", 1, "")
		root.AddCommand(c)
		if _, _, err := Run(root, []string{"count", arg}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", arg, err, want)
		}
	}
}

// A file without a name is none, in all programs: it is refused, and not as if the flag had been left out.
func TestEmptyFile(t *testing.T) {
	for arg, want := range map[string]string{
		"--file=":   "--file is empty: give the name of a file, or leave it out",
		"--file=a":  "",
		"--text=":   "",
		"--text= -": "",
	} {
		root := &cobra.Command{Use: "program"}
		var f Flags
		SetUp(root, &f, "", "", io.Discard, io.Discard)
		c := &cobra.Command{Use: "keep", RunE: func(*cobra.Command, []string) error { return nil }}
		c.Flags().String("file", "", "keep it in `FILE`")
		c.Flags().String("text", "", "answer with `TEXT`")
		root.AddCommand(c)
		Finish(root)
		_, failure, err := Run(root, []string{"keep", arg})
		if got := fmt.Sprint(err); failure != nil || got != want && (err != nil || want != "") {
			t.Errorf("%s: %v, %v, want %s", arg, failure, err, want)
		}
	}
}
