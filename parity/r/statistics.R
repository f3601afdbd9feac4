# Rscript statistics.R < jobs.csv > results.csv
# jobs:    id,test,values  with the values of a sample separated by blanks; the t test's two samples by a bar
# results: id,statistic,df,p,low,high
# wilcox.test as Honjo 2022 must have used it: its printed p values fit no other setting (R 3.6.0 there). Values equal
# to mu are dropped here, since releases of R differ in what wilcox.test does with them.
lines <- readLines(file("stdin"))
number <- function(x) if (is.null(x) || length(x) == 0) "NA" else formatC(as.numeric(x), digits = 17, format = "g")
cat("version", paste(R.version$major, R.version$minor, sep = "."), "", "", "", "", sep = ",")
cat("\n")
for (line in lines) {
  job <- strsplit(line, ",", fixed = TRUE)[[1]]
  samples <- lapply(strsplit(job[3], "|", fixed = TRUE)[[1]], function(s) as.numeric(strsplit(trimws(s), " +")[[1]]))
  if (job[2] == "wilcoxon") {
    differing <- samples[[1]][samples[[1]] != 3]
    if (length(differing) == 0) {
      result <- rep("NA", 5)
    } else {
      found <- suppressWarnings(wilcox.test(differing, mu = 3, exact = FALSE, correct = TRUE))
      result <- c(number(found$statistic), "NA", number(found$p.value), "NA", "NA")
    }
  } else {
    found <- t.test(samples[[1]], samples[[2]], paired = TRUE)
    result <- c(number(found$statistic), number(found$parameter), number(found$p.value), number(found$conf.int))
  }
  cat(job[1], result, sep = ",")
  cat("\n")
}
