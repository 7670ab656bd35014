// How much a result of the search counts: as Sphinx has it, but a page whose title is searched for comes first.

var Scorer = {
  score: ([page, title, anchor, description, score, file, kind]) => score + (kind === "title" && !anchor ? 10 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
