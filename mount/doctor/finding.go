package doctor

// Answer says whether something can be had.
type Answer string

// The answers.
const (
	Yes    Answer = "yes"
	Partly Answer = "partly"
	No     Answer = "no"
)

// Finding is what was found out about one thing. Its JSON form is a promise to
// scripts: names stay.
type Finding struct {
	What     string `json:"what"` // "passthrough"
	Answer   Answer `json:"answer"`
	Evidence string `json:"evidence"`          // how that is known
	Missing  string `json:"missing,omitempty"` // what would be there with a yes
	Remedy   string `json:"remedy,omitempty"`  // how to get it, where there is a way
}

// Report is all that was found.
type Report struct {
	Mountable bool      `json:"mountable"` // this user can mount
	Findings  []Finding `json:"findings"`
}

func yes(evidence string) Finding { return Finding{Answer: Yes, Evidence: evidence} }

func no(evidence, missing, remedy string) Finding {
	return Finding{Answer: No, Evidence: evidence, Missing: missing, Remedy: remedy}
}

func partly(evidence, missing, remedy string) Finding {
	return Finding{Answer: Partly, Evidence: evidence, Missing: missing, Remedy: remedy}
}

// hinter is an error that knows the remedy.
type hinter interface{ Hint() string }
