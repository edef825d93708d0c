package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/kbus/errno"
)

// kbus errno: what an error number means when KBUS gives it.

// errnoCommand is R10.70: its status is always 0, even for a number that is none.
func errnoCommand(l *line) *cobra.Command {
	var list bool
	c := &cobra.Command{
		Use:   "errno NUMBER | NAME | -list",
		Short: "explain an error number",
		Long: `errno tells what an error number is called and what it means from KBUS. The exit
status of every other command is such a number.`,
		Example: `kbus errno 32
kbus errno EADDRNOTAVAIL
kbus errno -list
kbus ask '$.Nobody' || kbus errno $?`,
		ValidArgsFunction: completeErrno,
	}
	c.Flags().BoolVar(&list, "list", false, "list all error numbers (-list will do)")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case list && len(args) == 0:
			for _, e := range errno.All() {
				if err := l.printErrno(e.Line(), e); err != nil {
					return err
				}
			}
			return nil
		case list || len(args) != 1:
			_, err := fmt.Fprint(l.out, cmd.UsageString())
			return err
		}
		e, known := errno.Find(args[0])
		if l.JSON && !known {
			return l.printJSON(struct {
				Error string `json:"error"`
			}{strings.TrimSpace(errno.Explain(args[0]))})
		}
		return l.printErrno(errno.Explain(args[0]), e)
	}
	return c
}

func (l *line) printErrno(text string, e errno.Entry) error {
	if !l.JSON {
		_, err := fmt.Fprint(l.out, text)
		return err
	}
	type jsonMeaning struct {
		When string `json:"when"`
		What string `json:"what"`
	}
	j := struct {
		Errno int           `json:"errno"`
		Name  string        `json:"name"`
		Text  string        `json:"text"`
		KBUS  []jsonMeaning `json:"kbus"`
	}{e.Number, e.Name, e.Text, []jsonMeaning{}}
	for _, m := range e.Meanings {
		j.KBUS = append(j.KBUS, jsonMeaning(m))
	}
	return l.printJSON(j)
}
