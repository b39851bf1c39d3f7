package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
	"deployfs/objstore/facts"
	"deployfs/objstore/gvariant"
	"deployfs/objstore/object"
)

// metadata is a commit's metadata, or its detached metadata.
func (s *shower) metadata(sum object.Checksum, detached bool) (gvariant.Value, error) {
	if !detached {
		commit, err := s.repo.Commit(sum)
		return commit.Metadata, err
	}
	v, ok, err := s.repo.CommitMeta(sum)
	if err == nil && !ok {
		err = cli.Words("No detached metadata for commit " + sum.String())
	}
	return v, err
}

// metadataKey prints the value of a key.
func (s *shower) metadataKey(sum object.Checksum, detached bool, key string) error {
	dict, err := s.metadata(sum, detached)
	if err != nil {
		return err
	}
	v, ok := dict.Lookup(key)
	switch {
	case !ok:
		return cli.Words("No such metadata key '" + key + "'")
	case s.json:
		return cli.WriteJSON(s.out, facts.Value(v))
	case s.hex && v.Type() == "ay":
		_, err = fmt.Fprintln(s.out, hex.EncodeToString(v.ByteString()))
	default:
		_, err = fmt.Fprintln(s.out, gvariant.Print(v, true, !s.noSwap))
	}
	return err
}

// metadataKeys lists the keys, sorted.
func (s *shower) metadataKeys(sum object.Checksum, detached bool) error {
	dict, err := s.metadata(sum, detached)
	if err != nil {
		return err
	}
	keys := make([]string, dict.Len())
	for i := range keys {
		keys[i] = dict.At(i).At(0).Str()
	}
	slices.Sort(keys)
	if s.json {
		return cli.WriteJSON(s.out, keys)
	}
	for _, key := range keys {
		fmt.Fprintln(s.out, key)
	}
	return nil
}

// related lists the commits that a commit names as related, a field that nothing writes today.
func (s *shower) related(sum object.Checksum) error {
	name := object.Name{Checksum: sum, Kind: object.KindCommit}
	data, err := s.repo.Metadata(name)
	if err != nil {
		return err
	}
	v, err := gvariant.Parse(object.CommitType, data)
	if err != nil {
		return object.Corrupt(name, err)
	}
	type relatedJSON struct {
		Name     string `json:"name"`
		Checksum string `json:"checksum"`
	}
	list := []relatedJSON{}
	for i := range v.At(2).Len() {
		entry := v.At(2).At(i)
		list = append(list, relatedJSON{entry.At(0).Str(), hex.EncodeToString(entry.At(1).ByteString())})
	}
	if s.json {
		return cli.WriteJSON(s.out, list)
	}
	for _, r := range list {
		fmt.Fprintln(s.out, r.Name, r.Checksum)
	}
	return nil
}

// sizesJSON is the sum of a commit's object sizes, in bytes.
type sizesJSON struct {
	Objects        int    `json:"objects"`
	Archived       uint64 `json:"archived"`
	Unpacked       uint64 `json:"unpacked"`
	NeededObjects  int    `json:"needed_objects"` // those that are not here
	NeededArchived uint64 `json:"needed_archived"`
	NeededUnpacked uint64 `json:"needed_unpacked"`
}

// sizes sums up the sizes that the commit tells.
func (s *shower) sizes(sum object.Checksum) error {
	commit, err := s.repo.Commit(sum)
	if err != nil {
		return fmt.Errorf("Failed to read commit: %w", err)
	}
	entries, err := commit.Sizes()
	if err != nil {
		return err
	}
	var total sizesJSON
	for _, e := range entries {
		total.Objects++
		total.Archived += e.Archived
		total.Unpacked += e.Unpacked
		here, err := s.repo.HasObject(e.Object)
		if err != nil {
			return err
		}
		if !here {
			total.NeededObjects++
			total.NeededArchived += e.Archived
			total.NeededUnpacked += e.Unpacked
		}
	}
	if s.json {
		return cli.WriteJSON(s.out, total)
	}
	_, err = fmt.Fprintf(s.out, "Compressed size (needed/total): %s/%s\nUnpacked size (needed/total): %s/%s\n"+
		"Number of objects (needed/total): %d/%d\n",
		objstore.FormatSize(total.NeededArchived), objstore.FormatSize(total.Archived),
		objstore.FormatSize(total.NeededUnpacked), objstore.FormatSize(total.Unpacked), total.NeededObjects, total.Objects)
	return err
}

// variantFile prints a file of this machine as a GVariant.
func (s *shower) variantFile(typ, path string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return cli.Words("openat(" + path + "): No such file or directory")
	}
	if err != nil {
		return err
	}
	v, err := gvariant.Parse(typ, data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if s.json {
		return cli.WriteJSON(s.out, facts.Value(v))
	}
	_, err = fmt.Fprintln(s.out, gvariant.Print(v, true, true))
	return err
}

// file prints what a content object has beside its content.
func (s *shower) file(sum object.Checksum) error {
	h, err := s.repo.Header(sum)
	if err != nil {
		return contentError(s.repo, err)
	}
	if s.json {
		return cli.WriteJSON(s.out, newFileJSON(sum, h))
	}
	_, err = io.WriteString(s.out, fileText(sum, h, h.Target))
	return err
}

// fileText is a content object's header, with the target as it is to be shown.
func fileText(sum object.Checksum, h object.Header, target string) string {
	text := fmt.Sprintf("Object: %s\nType: file\n", sum)
	if h.IsSymlink() {
		text += "File Type: symlink\nTarget: " + target + "\n"
	} else {
		text += fmt.Sprintf("File Type: regular\nSize: %d\n", h.Size)
	}
	return text + metaText(h)
}
