package main

import (
	"context"
	"fmt"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/remote"
)

func configVerb() cli.Verb {
	var group string
	return cli.Verb{
		Name: "config", Args: "(get KEY|set KEY VALUE|unset KEY)", Short: "Change repo configuration settings", JSON: true,
		Long: "KEY is GROUP.NAME, or a name alone with --group, which a group with a dot in its name needs.\n\n" +
			"What is not changed stays as it is, comments too. A value with which the repository could not be opened is refused.",
		Options: []cli.Option{cli.String(&group, "group", "", "", "Group name")},
		Examples: []cli.Example{
			{Command: "deployfs config get core.mode", Text: "how the repository stores files"},
			{Command: "deployfs config -- set core.lock-timeout-secs -1", Text: "wait for the repository's lock for ever"},
			{Command: `deployfs config unset --group='remote "origin"' proxy`, Text: "take a setting of a remote away"},
		},
		Complete: func(inv *cli.Invocation, _ string) cli.Completion { return completeConfig(inv, group) },
		Run:      func(_ context.Context, inv *cli.Invocation) error { return runConfig(inv, group) },
	}
}

func runConfig(inv *cli.Invocation, group string) error {
	repo, err := openRepo(inv)
	if err != nil {
		return err
	}
	defer repo.Close()
	if len(inv.Args) == 0 {
		return &cli.UsageError{Text: "OPERATION must be specified"}
	}
	op, args := inv.Args[0], inv.Args[1:]
	if err := checkConfigArgs(op, len(args), group != ""); err != nil {
		return err
	}
	key := args[0]
	if group == "" {
		var dotted bool
		if group, key, dotted = strings.Cut(key, "."); !dotted {
			return cli.Words(`Key must be of the form "sectionname.keyname"`)
		}
	}
	switch op {
	case "set":
		return configSet(repo, group, key, args[1])
	case "unset":
		return repo.EditConfig(func(data []byte) ([]byte, error) { return objstore.UnsetKey(data, group, key) })
	}
	return configGet(inv, repo.Config(), group, key)
}

// checkConfigArgs fails unless op is one of the operations and takes so many arguments.
func checkConfigArgs(op string, args int, group bool) error {
	want, text := 1, "KEY must be specified"
	switch {
	case op == "set" && group:
		want, text = 2, "GROUP name, KEY and VALUE must be specified"
	case op == "set":
		want, text = 2, "KEY and VALUE must be specified"
	case group:
		text = "Group name and key must be specified"
	}
	switch known := op == "get" || op == "set" || op == "unset"; {
	case args > want:
		return &cli.UsageError{Text: "Too many arguments given"}
	case !known:
		return cli.Words("Unknown operation " + op)
	case args < want:
		return cli.Words(text)
	}
	return nil
}

func configSet(repo *objstore.Repo, group, key, value string) error {
	remotes, err := remote.Load(repo)
	if err != nil {
		return err
	}
	return repo.EditConfig(func(data []byte) ([]byte, error) {
		data, err := objstore.SetKey(data, group, key, objstore.KeyText(value))
		if err == nil {
			err = remotes.CheckConfig(data)
		}
		return data, err
	})
}

func configGet(inv *cli.Invocation, config *objstore.KeyFile, group, key string) error {
	value, ok := config.Get(group, key)
	switch {
	case !config.HasGroup(group):
		return cli.Words("Key file does not have group “" + group + "”")
	case !ok:
		return cli.Words("Key file does not have key “" + key + "” in group “" + group + "”")
	case inv.JSON:
		return cli.WriteJSON(inv.Stdout, map[string]string{"group": group, "key": key, "value": value})
	}
	_, err := fmt.Fprintln(inv.Stdout, value)
	return err
}

// completeConfig completes the operation, then the keys that there are.
func completeConfig(inv *cli.Invocation, group string) (c cli.Completion) {
	switch len(inv.Args) {
	case 0:
		c.Words = []string{"get", "set", "unset"}
	case 1:
		repo, err := openRepo(inv)
		if err != nil {
			return c
		}
		defer repo.Close()
		for _, g := range repo.Config().Groups() {
			for _, key := range repo.Config().Keys(g) {
				switch {
				case g == group:
					c.Words = append(c.Words, key)
				case group == "" && !strings.Contains(g, "."):
					c.Words = append(c.Words, g+"."+key)
				}
			}
		}
	}
	return c
}
