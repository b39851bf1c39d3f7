package daemon

import (
	"context"
	"os/signal"
	"syscall"

	"deployfs/fs"
	"deployfs/mount/keeper"
)

// Failure is why a mount did not come to be, with the remedy where there is one.
type Failure = keeper.Failure

// hinter is an error that knows the remedy.
type hinter interface{ Hint() string }

// Start mounts a commit, and returns once the tree can be used, or with the
// reason why it can't. A keeper and a server stay in the background. When ctx
// ends before that, nothing does.
func Start(ctx context.Context, cfg Config) error {
	data, err := cfg.encode()
	if err != nil {
		return err
	}
	return keeper.Launch(ctx, data, cfg.Mountpoint)
}

// Foreground mounts a commit, and returns when the mount is taken away, or ctx
// ends, which takes it away.
func Foreground(ctx context.Context, cfg Config) error {
	cfg.Foreground = true
	data, err := cfg.encode()
	if err != nil {
		return err
	}
	ctx, stop := untilHangup(ctx)
	defer stop()
	return keeper.Run(ctx, keeper.Job{
		Config: data, Version: fs.StateVersion, Name: cfg.Mountpoint, Foreground: true, Log: &logs{},
		Ready: func(error) {}, // it is returned, too
	})
}

// Keep is what a keeper in the background does, and one that has become another
// program.
func Keep(ctx context.Context) error {
	signal.Ignore(syscall.SIGPIPE)
	if keeper.Inherits() {
		ctx, stop := untilHangup(ctx) // in the background it is ignored
		defer stop()
		log := &logs{}
		err := keeper.Inherit(ctx, keeper.Job{Log: log})
		if err != nil { // nobody reads standard error any more
			log.Event(false, "", err.Error())
		}
		return err
	}
	signal.Ignore(syscall.SIGHUP)
	data, launcher, err := keeper.Launched()
	if err != nil {
		return err
	}
	var cfg Config
	if err := decode(data, &cfg); err != nil {
		return err
	}
	keeper.Run(ctx, keeper.Job{ // whoever has launched it tells the error
		Config: data, Version: fs.StateVersion, Name: cfg.Mountpoint, Log: &logs{}, Ready: launcher.Tell,
	})
	return nil
}

// untilHangup ends with ctx, or when the terminal is closed, unless that was to
// be ignored. A log that nobody reads any more must not end the keeper.
func untilHangup(ctx context.Context) (context.Context, context.CancelFunc) {
	signal.Ignore(syscall.SIGPIPE)
	if signal.Ignored(syscall.SIGHUP) {
		return context.WithCancel(ctx)
	}
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}
