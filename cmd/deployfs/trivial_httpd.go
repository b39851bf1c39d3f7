package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"deployfs/cmd/internal/cli"
	"deployfs/cmd/internal/httpd"
)

// httpdOptions are those of the verb trivial-httpd.
type httpdOptions struct {
	httpd.Config
	daemonize bool
	inherited bool // this is the process in the background: listener and log are open
	port      int
	portFile  string
	logFile   string
}

func trivialHTTPDVerb() cli.Verb {
	o := &httpdOptions{}
	o.Errors500.Max, o.Errors408.Max = 100, 100
	return cli.Verb{
		Name: "trivial-httpd", Args: "[DIR]", Short: "Simple webserver", NoRepo: true,
		Long: "trivial-httpd serves the files below a directory, the working directory without one, over HTTP, for tests of pulls. Only what everyone may read is served. It ends with the process that started it, unless it is in the background.",
		Options: []cli.Option{
			cli.Flag(&o.daemonize, "daemonize", "d", "Fork into background when ready"),
			cli.Flag(&o.AutoExit, "autoexit", "", "Automatically exit when directory is deleted"),
			httpdNumber(&o.port, "port", "P", "PORT", "Use the specified TCP port"),
			cli.String(&o.portFile, "port-file", "p", "PATH", "Write port number to PATH (- for standard output)"),
			cli.Flag(&o.HalfObjects, "force-range-requests", "", "Force range requests by only serving half of files"),
			cli.Flag(&o.BasicAuth, "require-basic-auth", "", "Require username foouser, password barpw"),
			httpdNumber(&o.Errors500.Percent, "random-500s", "", "PERCENTAGE", "Generate random HTTP 500 errors approximately for PERCENTAGE requests"),
			httpdNumber(&o.Errors500.Max, "random-500s-max", "", "MAX", "Limit HTTP 500 errors to MAX (default 100)"),
			httpdNumber(&o.Errors408.Percent, "random-408s", "", "PERCENTAGE", "Generate random HTTP 408 errors approximately for PERCENTAGE requests"),
			httpdNumber(&o.Errors408.Max, "random-408s-max", "", "MAX", "Limit HTTP 408 errors to MAX (default 100)"),
			cli.String(&o.logFile, "log-file", "", "PATH", "Put logs here (use - for stdout)"),
			httpdPair(&o.Cookies, "expected-cookies", "Expect given cookies in the http request"),
			httpdPair(&o.Headers, "expected-header", "Expect given headers in the http request"),
			cli.Hidden(cli.Flag(&o.inherited, httpdInherited, "", "Be the process in the background")),
		},
		Examples: []cli.Example{{Command: "deployfs trivial-httpd -P 8000 /srv/repo", Text: "serve a repository on port 8000"}},
		Complete: func(*cli.Invocation, string) cli.Completion { return cli.Completion{Dirs: true} },
		Run:      o.run,
	}
}

func httpdNumber(p *int, name, short, arg, help string) cli.Option {
	return cli.Func(func(text string) error {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return cli.Words("Cannot parse integer value “" + text + "” for --" + name)
		}
		*p = int(n)
		return nil
	}, name, short, arg, help)
}

func httpdPair(list *[]httpd.Pair, name, help string) cli.Option {
	return cli.Func(func(text string) error {
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			return cli.Words("Missing '=' in --" + name)
		}
		*list = append(*list, httpd.Pair{Key: key, Value: value})
		return nil
	}, name, "", "KEY=VALUE", help)
}

func (o *httpdOptions) run(ctx context.Context, inv *cli.Invocation) error {
	o.Root = "."
	if len(inv.Args) > 0 {
		o.Root = inv.Args[0]
	}
	if err := o.check(); err != nil {
		return err
	}
	if o.inherited {
		return o.runInherited(ctx)
	}
	log, err := o.openLog(inv)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(o.port))
	if err != nil {
		return fmt.Errorf("Could not listen on port %d: %w", o.port, err)
	}
	if err := o.writePort(inv, listener); err != nil {
		return err
	}
	if o.daemonize {
		return daemonize(listener.(*net.TCPListener), log)
	}
	if err := dieWithParent(); err != nil {
		return err
	}
	if log != nil {
		o.Log = httpd.NewLog(log)
	}
	return httpd.New(o.Config).Serve(ctx, listener)
}

func (o *httpdOptions) check() error {
	dir, err := os.Open(o.Root + "/.")
	if err != nil {
		return fmt.Errorf("opendir(%s): %w", o.Root, cause(err))
	}
	dir.Close()
	for name, percent := range map[string]int{"500": o.Errors500.Percent, "408": o.Errors408.Percent} {
		if percent < 0 || percent > 99 {
			return fmt.Errorf("Invalid --random-%ss=%d", name, percent)
		}
	}
	if o.daemonize && o.logFile == "-" {
		return &cli.UsageError{Text: "Cannot use --log-file=- and --daemonize at the same time"}
	}
	return nil
}

// openLog makes the file of the log; nil is none.
func (o *httpdOptions) openLog(inv *cli.Invocation) (*os.File, error) {
	switch o.logFile {
	case "":
		return nil, nil
	case "-":
		return os.Stdout, inv.Stdout.Flush()
	}
	f, err := os.OpenFile(o.logFile, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("Error opening file “%s”: %w", o.logFile, cause(err))
	}
	return f, nil
}

// writePort says on which port the server is.
func (o *httpdOptions) writePort(inv *cli.Invocation, l net.Listener) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%d\n", l.Addr().(*net.TCPAddr).Port)
	switch o.portFile {
	case "":
		return nil
	case "-":
		_, _ = inv.Stdout.Write(text.Bytes())
		return inv.Stdout.Flush()
	}
	temporary := o.portFile + ".new"
	err := os.WriteFile(temporary, text.Bytes(), 0o666)
	if err == nil {
		err = os.Rename(temporary, o.portFile)
	}
	if err != nil {
		return fmt.Errorf("Failed to create file “%s”: %w", o.portFile, cause(err))
	}
	return nil
}
