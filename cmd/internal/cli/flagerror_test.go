package cli

import (
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
