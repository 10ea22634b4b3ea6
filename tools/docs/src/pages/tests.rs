use async_trait::async_trait;

use super::*;
use servicenow_provider::plugin::schema::validate;
use servicenow_provider::plugin::{
    Attribute, BlockType, Configured, Context, Diagnostics, Import, Object, Outcome, Resource, Rule,
};

struct Thing;

impl BlockType for Thing {
    fn type_name(&self) -> &'static str {
        "acme_thing"
    }

    fn schema(&self) -> Schema {
        let [key, key_wo, key_wo_version] = Attribute::secret(["key", "key_wo", "key_wo_version"], "A key.");
        Schema::new(
            "A thing.",
            vec![
                Attribute::text("id").computed().describe("Its number."),
                Attribute::text("name").required().replaces().describe("Its name."),
                Attribute::text("size")
                    .default("small")
                    .check(validate::one_of(&["small", "large"]))
                    .describe("How large."),
                Attribute::text("colour")
                    .check(validate::one_of(&["red", "blue"]))
                    .describe("`red` or `blue`."),
                Attribute::single("part", vec![Attribute::text("label").required().describe("Its label.")])
                    .describe("A part."),
                key,
                key_wo,
                key_wo_version,
            ],
        )
        .rule(Rule::AtLeastOneOf(&["size", "colour"]))
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::new("role `owner`", "things")]
    }
}

#[async_trait]
impl Resource<()> for Thing {
    fn identity(&self) -> Option<IdentitySchema> {
        Some(IdentitySchema::of("number", "id", "Its number."))
    }

    async fn create(&self, _: &Context<()>, planned: Object, _: &Object) -> Result<Outcome, Diagnostics> {
        Ok(Outcome::Done(planned, Diagnostics::new()))
    }

    async fn read(&self, _: &Context<()>, state: Object) -> Result<Option<Object>, Diagnostics> {
        Ok(Some(state))
    }

    async fn update(&self, _: &Context<()>, _: &Object, planned: Object, _: &Object) -> Result<Outcome, Diagnostics> {
        Ok(Outcome::Done(planned, Diagnostics::new()))
    }

    async fn delete(&self, _: &Context<()>, _: &Object) -> Result<(), Diagnostics> {
        Ok(())
    }

    async fn import(&self, _: &Context<()>, _: Import<'_>) -> Result<Object, Diagnostics> {
        Ok(Object::new())
    }
}

struct Acme;

impl Provider for Acme {
    type Data = ();

    fn schema(&self) -> Schema {
        Schema::new("Makes things.", Vec::new())
    }

    fn configure(&self, _: &Object, _: &str) -> Configured<()> {
        Configured::Ready((), Diagnostics::new())
    }

    fn resources(&self) -> Vec<Box<dyn Resource<()>>> {
        vec![Box::new(Thing)]
    }
}

fn written(examples: &[(&str, &str)]) -> Vec<Page> {
    let examples = examples
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let site = Site {
        provider: "acme",
        introduction: "",
        subcategory: |_| "Things",
        examples: &examples,
    };
    pages(&Acme, &site)
}

const EXAMPLES: &[(&str, &str)] = &[
    ("provider/provider.tf", "provider \"acme\" {}"),
    ("resources/acme_thing/resource.tf", "resource \"acme_thing\" \"x\" {}"),
    ("resources/acme_thing/import.sh", "terraform import acme_thing.x 1"),
    ("resources/acme_thing/import-by-string-id.tf", "import { id = 1 }"),
    ("resources/acme_thing/import-by-identity.tf", "import { identity = {} }"),
];

#[test]
fn a_page_says_all_that_the_schema_knows() {
    let pages = written(EXAMPLES);

    let page = pages.iter().find(|page| page.path == "resources/thing.md").unwrap();
    for expected in [
        "page_title: \"acme_thing Resource - acme\"\nsubcategory: \"Things\"\ndescription: |-\n  A thing.\n---\n",
        "| things | role `owner` |",
        "```terraform\nresource \"acme_thing\" \"x\" {}\n```",
        "### Required\n\n- `name` (String) Its name. Changing this forces replacement.\n",
        "- `size` (String) How large. One of `small`, `large`. Default `small`.\n",
        "- `colour` (String) `red` or `blue`.\n",
        "- `key_wo` (String, Sensitive, [Write-only](",
        "- `key_wo_version` (String) Any text",
        "- `part` (Attributes) A part. (see [below for nested schema](#nestedatt--part))",
        "### Read-Only\n\n- `id` (String) Its number.\n",
        "### Rules\n\n- At least one of `size`, `colour` must be set.\n",
        "<a id=\"nestedatt--part\"></a>\n### Nested Schema for `part`\n\nRequired:\n\n- `label` (String) Its label.\n",
        "#### Required\n\n- `number` (String) Its number.\n",
        "```shell\nterraform import acme_thing.x 1\n```\n",
    ] {
        assert!(
            page.text.contains(expected),
            "{expected:?} is missing in:\n{}",
            page.text
        );
    }
    assert_eq!(page.problems, Vec::<String>::new());
    assert_eq!(page.examples.len(), 4);
    let index = pages.iter().find(|page| page.path == "index.md").unwrap();
    assert!(
        index
            .text
            .contains("| [`acme_thing`](resources/thing.md) | things | role `owner` |")
    );
}

#[test]
fn what_a_page_lacks_is_a_problem() {
    let pages = written(&EXAMPLES[..2]);

    let problems: Vec<_> = pages.iter().flat_map(|page| page.problems.iter()).collect();
    assert_eq!(
        problems,
        [
            "examples/resources/acme_thing/import-by-identity.tf is missing",
            "examples/resources/acme_thing/import-by-string-id.tf is missing",
            "examples/resources/acme_thing/import.sh is missing",
        ]
    );
}
