package trust

import (
	"fmt"

	"deployfs/objstore/gvariant"
)

// Summary fails, in ostree's words, unless a summary is signed as it must be. Nil is
// a summary or a summary.sig that is absent.
func (p *Policy) Summary(summary, signatures []byte) error {
	return p.verifySummary(summary, signatures, func(d demand) error {
		who, absent := "GPG", "summary.sig"
		if summary == nil && (signatures != nil || d.gpg()) {
			absent = "summary"
		}
		if !d.gpg() {
			who = "Signatures"
		}
		return fmt.Errorf("%s verification enabled, but no %s found (use %s=false in remote config to disable)", who, absent, d.option)
	})
}

// ShownSummary is [Policy.Summary] in the words that ostree has for a summary that is
// not pulled but only looked at.
func (p *Policy) ShownSummary(summary, signatures []byte) error {
	return p.verifySummary(summary, signatures, func(d demand) error {
		who := "GPG"
		if !d.gpg() {
			who = "Signature"
		}
		if summary == nil {
			return fmt.Errorf("%s verification enabled, but no summary found (check that the configured URL in remote config is correct)", who)
		}
		return fmt.Errorf("%s verification enabled, but no summary signatures found (use %s=false in remote config to disable)", who, d.option)
	})
}

// verifySummary has missing word it where one of the files is absent.
func (p *Policy) verifySummary(summary, signatures []byte, missing func(demand) error) error {
	for _, d := range p.summary {
		if summary == nil || signatures == nil {
			return missing(d)
		}
		meta, err := gvariant.Parse("a{sv}", signatures)
		if err != nil {
			meta = gvariant.Value{} // to ostree, too, what is no dictionary has no signatures
		}
		if err := d.check(summary, meta); err != nil {
			return err
		}
	}
	return nil
}
