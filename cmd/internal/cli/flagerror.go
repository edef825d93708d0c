package cli

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// FlagError says what is wrong with the value of a flag as we say it: not which function of which package could not read it.
func FlagError(_ *cobra.Command, err error) error {
	var wrong *pflag.InvalidValueError
	var number *strconv.NumError
	if !errors.As(err, &wrong) || !errors.As(err, &number) {
		return err
	}
	needed := "a number is needed"
	switch {
	case number.Func == "ParseBool":
		needed = "true or false is needed"
	case errors.Is(number, strconv.ErrRange):
		needed = "there is no room for that number"
	}
	return fmt.Errorf("invalid argument %q for %q flag: %s", wrong.GetValue(), "--"+wrong.GetFlag().Name, needed)
}

// emptyFile refuses a file without a name: mostly a variable of a script that is not set, and what was to be kept in the file, or
// protected by it, would not be, without a word.
func emptyFile(c *cobra.Command) (err error) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if takes, _ := pflag.UnquoteUsage(f); takes == "FILE" && f.Value.String() == "" {
			err = Misused("--" + f.Name + " is empty: give the name of a file, or leave it out")
		}
	})
	return err
}
