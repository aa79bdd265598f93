"""Branch protection rules: the conditions for pushes and merges."""

from __future__ import annotations

from typing import Final

from tasks.github.api import RATE_LIMIT
from tasks.github.repositories import REPOSITORY_IDS
from tasks.provider import ByIds, Document, Node, Per, ResourceType, id_link, key, parent, prop

_PAGE: Final = """{
            nodes {
              id pattern allowsDeletions allowsForcePushes dismissesStaleReviews isAdminEnforced
              requiredApprovingReviewCount requiresApprovingReviews requiresCodeOwnerReviews requiresCommitSignatures
              requiresLinearHistory requiresStatusChecks requiresStrictStatusChecks restrictsPushes
              restrictsReviewDismissals
            }
            pageInfo { endCursor hasNextPage }
          }"""
_RULES: Final = Document(
    f"""query BranchProtectionRules($ids: [ID!]!) {{
      nodes(ids: $ids) {{
        ... on Repository {{
          id url
          branchProtectionRules(first: 100) {_PAGE}
        }}
      }}
      {RATE_LIMIT}
    }}"""
)
_MORE: Final = Document(
    f"""query MoreBranchProtectionRules($id: ID!, $cursor: String) {{
      node(id: $id) {{
        ... on Repository {{
          branchProtectionRules(first: 100, after: $cursor) {_PAGE}
        }}
      }}
      {RATE_LIMIT}
    }}""",
    connection="node.branchProtectionRules",
)


class GitHubBranchProtectionRule(Node, label="GitHubBranchProtectionRule"):
    id: str = key("id")
    pattern: str = prop("pattern", "The branches that it applies to, by name.", index=True)
    allows_deletions: bool | None = prop("allowsDeletions")
    allows_force_pushes: bool | None = prop("allowsForcePushes")
    dismisses_stale_reviews: bool | None = prop("dismissesStaleReviews", "Whether a new push needs a new approval.")
    is_admin_enforced: bool | None = prop("isAdminEnforced", "Whether it also applies to administrators.")
    required_approving_review_count: int | None = prop("requiredApprovingReviewCount")
    requires_approving_reviews: bool | None = prop("requiresApprovingReviews")
    requires_code_owner_reviews: bool | None = prop("requiresCodeOwnerReviews")
    requires_commit_signatures: bool | None = prop("requiresCommitSignatures")
    requires_linear_history: bool | None = prop("requiresLinearHistory")
    requires_status_checks: bool | None = prop("requiresStatusChecks")
    requires_strict_status_checks: bool | None = prop("requiresStrictStatusChecks")
    restricts_pushes: bool | None = prop("restrictsPushes", "Whether only some may push.")
    restricts_review_dismissals: bool | None = prop("restrictsReviewDismissals")
    relationships = (id_link("HAS_RULE", "GitHubRepository", parent("url"), incoming=True),)


BRANCH_PROTECTION_RULES: Final = ResourceType(
    "github.branch_protection_rules",
    Per.TENANT,
    fetch=ByIds(REPOSITORY_IDS, _RULES, {"branchProtectionRules": _MORE}),
    yields=(GitHubBranchProtectionRule.each("branchProtectionRules.nodes[]"),),
)
