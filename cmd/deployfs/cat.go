package main

import (
	"context"
	"fmt"
	"io"
	"path"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/tree"
)

func catVerb() cli.Verb {
	return cli.Verb{
		Name: "cat", Raw: true, Args: "COMMIT PATH... | REV:PATH...", Short: "Concatenate contents of files", JSON: true,
		Long: "The first argument tells which of the two it is.\n\n" + revPathText + "\n\n" + farText + "\n\nA symbolic link stands for the file that it points to inside the commit. Content is checked against its checksum while it is read; the exit status is 1 when it differs, so do not use what came out then.",
		Examples: []cli.Example{
			{Command: "deployfs cat os/main /etc/os-release", Text: "a file of the newest commit"},
			{Command: "deployfs cat os/main^:/etc/fstab os/main:/etc/fstab", Text: "a file of the previous commit, then that of the newest"},
			{Command: "deployfs cat https://example.org/repo#os/main:/etc/os-release", Text: "a file of a commit that is on a server"},
			{Command: "deployfs cat os/main^ /etc/passwd | diff - /etc/passwd", Text: "what differs from the previous commit here"},
		},
		Complete: completeEither,
		Run:      withFar(false, runCat),
	}
}

func runCat(_ context.Context, inv *cli.Invocation, repo *objstore.Repo) error {
	sources, err := catSources(repo, inv.Args)
	if err != nil {
		return err
	}
	if inv.JSON {
		return catJSON(inv, repo, sources)
	}
	for _, src := range sources {
		_, content, err := src.open(repo)
		if err != nil {
			return err
		}
		_, err = io.Copy(inv.Stdout, content)
		content.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// catSource is a file that is to be printed.
type catSource struct {
	root tree.Entry // of its commit
	name string
	rev  string // of a REV:PATH, else ""
}

// open opens the file, or the one that a symbolic link leads to.
func (s catSource) open(repo *objstore.Repo) (tree.Entry, *objstore.Content, error) {
	entry, content, err := openFile(repo, s.root, s.name)
	if err != nil && s.rev != "" {
		err = fmt.Errorf("%s:%s: %w", s.rev, s.name, err)
	}
	return entry, content, err
}

// catSources reads the arguments in either form.
func catSources(repo *objstore.Repo, args []string) (list []catSource, err error) {
	places, ok, err := findRevPaths(repo, args)
	for _, p := range places {
		list = append(list, catSource{p.root, p.entry.Path, p.rev})
	}
	if ok || err != nil {
		return list, err
	}
	if len(args) < 2 {
		return nil, &cli.UsageError{Text: "A COMMIT and at least one PATH argument are required"}
	}
	root, err := resolveTree(repo, args[0])
	for _, name := range args[1:] {
		list = append(list, catSource{root: root, name: name})
	}
	return list, err
}

// catFile is a file and its content in JSON.
type catFile struct {
	Path         string `json:"path"`
	PathBytes    []byte `json:"path_bytes,omitempty"`
	Checksum     string `json:"checksum"`
	Size         uint64 `json:"size"`
	Content      string `json:"content"`
	ContentBytes []byte `json:"content_bytes,omitempty"`
}

func catJSON(inv *cli.Invocation, repo *objstore.Repo, sources []catSource) error {
	files := []catFile{}
	for _, src := range sources {
		entry, content, err := src.open(repo)
		if err != nil {
			return err
		}
		data, err := io.ReadAll(content)
		content.Close()
		if err != nil {
			return err
		}
		f := catFile{Checksum: entry.Content.String(), Size: content.Header.Size}
		f.Path, f.PathBytes = cli.Text(entry.Path)
		f.Content, f.ContentBytes = cli.Text(string(data))
		files = append(files, f)
	}
	return cli.WriteJSON(inv.Stdout, files)
}

// maxLinks bounds a chain of symbolic links, as Linux does.
const maxLinks = 40

// openFile opens the regular file at name, or the one that a symbolic link there leads to.
func openFile(repo *objstore.Repo, root tree.Entry, name string) (tree.Entry, *objstore.Content, error) {
	for range maxLinks {
		entry, err := lookup(repo, root, name)
		if err != nil {
			return entry, nil, err
		}
		if entry.IsDir() {
			return entry, nil, cli.Words("Can't open directory")
		}
		content, err := repo.Content(entry.Content)
		if err != nil {
			return entry, nil, contentError(repo, err)
		}
		if !content.Header.IsSymlink() {
			return entry, content, nil
		}
		err = content.Verify()
		content.Close()
		if err != nil {
			return entry, nil, err
		}
		if name = content.Header.Target; !path.IsAbs(name) {
			name = path.Join(path.Dir(entry.Path), name)
		}
	}
	return tree.Entry{}, nil, cli.Words("Too many levels of symbolic links: " + name)
}
